import { mkdir, readdir, stat, writeFile } from "node:fs/promises";
import path from "node:path";

import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";

import { openWireGateway } from "../database.ts";
import { ONE, askFirst, openTestWire, routeTo } from "./test-wire.ts";
import type { TestWire } from "./test-wire.ts";

let wire: TestWire;
let socketFolder: string;

beforeAll(async () => {
  wire = await openTestWire();
  socketFolder = path.join(wire.home.folder, "w");
  await mkdir(socketFolder);
});
afterAll(async () => wire.close());

async function open(
  port: number,
  onUse: () => void = () => undefined,
): ReturnType<typeof openWireGateway> {
  const find = (): ReturnType<typeof routeTo> => routeTo(wire.one, onUse);
  return openWireGateway({ host: "127.0.0.1", port, socketFolder, keys: wire.keys, find });
}

async function connect(host: string, port: number): Promise<Client> {
  const login = { user: ONE, password: wire.one.record.appPassword, database: "my-shop" };
  const client = new Client({ host, port, ...login });
  await client.connect();
  return client;
}

test("the unix socket leads where the port does, and only its owner may connect by it", async () => {
  const gateway = await open(0);
  const { port } = gateway;
  const socket = path.join(socketFolder, `.s.PGSQL.${port}`);
  expect((await stat(socket)).mode & 0o777).toBe(0o600);
  const client = await connect(socketFolder, port);
  expect(await askFirst(client, "SELECT current_user")).toBe("app");
  await client.end();
  await gateway.close();
  expect(await readdir(socketFolder)).toEqual([]);
});

test("a socket that a killed server left is no hindrance", async () => {
  const first = await open(0);
  await first.close();
  await writeFile(path.join(socketFolder, `.s.PGSQL.${first.port}`), "");
  const second = await open(first.port);
  expect(second.port).toBe(first.port);
  const client = await connect(socketFolder, second.port);
  await client.end();
  await second.close();
});

test("a port that another has leaves no socket behind", async () => {
  const first = await open(0);
  await expect(open(first.port)).rejects.toMatchObject({ code: "EADDRINUSE" });
  const client = await connect(socketFolder, first.port);
  await client.end();
  await first.close();
});

test("statements are use, and what a pool says again and again is none", async () => {
  let uses = 0;
  const gateway = await open(0, () => (uses += 1));
  const client = await connect("127.0.0.1", gateway.port);
  await client.query("SELECT 1");
  const before = uses;
  for (let beat = 0; beat < 20; beat += 1) await client.query("SELECT 1");
  expect(uses).toBe(before);
  await client.query("SELECT 'a statement of another length'");
  expect(uses).toBe(before + 1);
  await client.end();
  await gateway.close();
});
