import { mkdir } from "node:fs/promises";
import path from "node:path";

import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { createDatabase, openWireGateway } from "../database.ts";
import type { Database } from "../database.ts";
import { giveTo } from "../place/owned-files.ts";
import { ADMIN_ROLE, APP_ROLE, SOCKET_PORT } from "../place/settings.ts";
import { ATTEMPTS } from "../test-attempts.ts";
import type { Aims, Attempt } from "../test-attempts.ts";
import { failureOf, openTestHome } from "../test-home.ts";
import type { TestHome } from "../test-home.ts";
import { routeTo } from "../wire/test-wire.ts";

let home: TestHome;
let shop: Database;
let peer: Database;
let aims: Aims;

beforeAll(async () => {
  home = await openTestHome();
  [shop, peer] = await Promise.all([create("shop"), create("peer")]);
  const folder = path.join(path.dirname(shop.place.folder), "open");
  await mkdir(folder);
  giveTo(folder, shop.place.uid);
  const password = peer.record.appPassword;
  aims = { folder, peer: { socketFolder: peer.place.socketFolder, password } };
  await ask(dial("admin"), "CREATE DATABASE ledger");
  await ask(dial("admin", { database: "ledger" }), "CREATE TABLE secrets AS SELECT 1 AS n");
  await ask(
    dial("app"),
    `CREATE TABLE own (n int); CREATE FUNCTION owned() RETURNS int LANGUAGE sql AS 'SELECT 1';
     CREATE FUNCTION fires() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'`,
  );
});

afterAll(async () => home.close());

test("there are as many attempts as were promised, each another one", () => {
  expect(new Set(ATTEMPTS.map(({ name }) => name)).size).toBe(ATTEMPTS.length);
  expect(ATTEMPTS.length).toBeGreaterThanOrEqual(60);
});

describe("the app's role is refused, and a superuser is not, when it tries to", () => {
  test.each(ATTEMPTS)("$name", async (attempt) => {
    // Somebody to be looked at, and to be ended.
    const watched = dial("admin");
    await watched.connect();
    const failure = await failureOf(make("app", attempt));
    expect(failure).toMatchObject({ message: expect.stringMatching(attempt.refused) });
    await make("admin", attempt);
    await watched.end();
  });

  test.each([
    ["load a library", "-c session_preload_libraries=auto_explain", /denied to set parameter/],
    ["lift the limit of temporary files", "-c temp_file_limit=-1", /denied to set parameter/],
    ["ignore broken pages", "-c zero_damaged_pages=on", /denied to set parameter/],
    ["become the superuser", "-c role=ramet", /denied to set role/],
    ["become it for good", "-c session_authorization=ramet", /denied to set session auth/],
  ])("%s as its session begins", async (_, options, refused) => {
    const failure = await failureOf(ask(dial("app", { options }), "SELECT 1"));
    expect(failure).toMatchObject({ message: expect.stringMatching(refused) });
    await ask(dial("admin", { options }), "SELECT 1");
  });

  test("follow the database as a replica does", async () => {
    const follow = { replication: "database" };
    const failure = await failureOf(ask(dial("app", follow), "IDENTIFY_SYSTEM"));
    expect(failure).toMatchObject({ message: expect.stringMatching(/replication|WAL sender/) });
    await ask(dial("admin", follow), "IDENTIFY_SYSTEM");
  });
});

test("another environment's socket and its place at the gateway ask for its own password", async () => {
  const [mine, theirs] = [shop.record.appPassword, peer.record.appPassword];
  const gateway = await openWireGateway({
    host: "127.0.0.1",
    port: 0,
    keys: path.join(home.folder, "keys"),
    find: (user) => (user === "theirid" ? routeTo(peer) : undefined),
  });
  const { socketFolder } = peer.place;
  const doors = [
    { host: socketFolder, port: SOCKET_PORT, user: APP_ROLE, database: "peer" },
    { host: "127.0.0.1", port: gateway.port, user: "theirid", database: "peer" },
  ];
  for (const door of doors) {
    const refused = failureOf(ask(new Client({ ...door, password: mine }), "SELECT 1"));
    expect(await refused).toMatchObject({ code: "28P01" });
    await ask(new Client({ ...door, password: theirs }), "SELECT 1");
  }
  for (const user of [APP_ROLE, ADMIN_ROLE]) {
    const { port } = gateway;
    const password = peer.record.adminPassword;
    const through = new Client({ host: "127.0.0.1", port, user, password, database: "peer" });
    await expect(ask(through, "SELECT 1")).rejects.toMatchObject({ code: "28P01" });
  }
  await gateway.close();
});

async function create(name: string): Promise<Database> {
  const place = await home.createPlace();
  return { place, record: await createDatabase(home.postgres, place, name) };
}

type Role = "app" | "admin";
type Dialling = { readonly database?: string; readonly options?: string; replication?: string };

function dial(role: Role, how: Dialling = {}): Client {
  const { appPassword, adminPassword } = shop.record;
  const client = new Client({
    host: shop.place.socketFolder,
    port: SOCKET_PORT,
    user: role === "app" ? APP_ROLE : ADMIN_ROLE,
    password: role === "app" ? appPassword : adminPassword,
    database: "shop",
    ...how,
  });
  client.on("error", () => {
    // One that an attempt ended.
  });
  return client;
}

/** Each in a session of its own, and taken back at once. */
async function make(role: Role, { sql, database = "shop", undo }: Attempt): Promise<void> {
  const text = typeof sql === "string" ? sql : sql(aims);
  const steps = undo === undefined ? [`BEGIN; ${text}; ROLLBACK`] : [text, undo];
  await ask(dial(role, { database }), ...steps);
}

async function ask(client: Client, ...statements: readonly string[]): Promise<void> {
  try {
    await client.connect();
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}
