import { once } from "node:events";
import { mkdir, mkdtemp, readFile, realpath, rm } from "node:fs/promises";
import { request } from "node:http";
import { createServer } from "node:net";
import type { Server } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import * as consumers from "node:stream/consumers";

import { afterAll, beforeAll, expect, test } from "vitest";

import { hasErrorCode } from "../base/problem.ts";
import { exists } from "../base/remove-inside.ts";
import { writeAtomically } from "../base/write-atomically.ts";
import { until } from "../engine/test-engine.ts";
import { MARK_VARIABLE } from "../environment/places.ts";
import {
  endMarked,
  findFreePort,
  findMarked,
  isRunning,
  signalProcess,
  startPiped,
} from "../process/process.ts";
import type { Exit } from "../process/process.ts";
import { PROTOCOL_HEADER, PROTOCOL_VERSION, TOKEN_HEADER } from "../protocol/headers.ts";
import { findHome } from "../protocol/home.ts";
import type { Home } from "../protocol/home.ts";
import { readServerFile, writeServerFile } from "./presence/server-file.ts";
import { serve } from "./server.ts";

const STUCK = path.join(import.meta.dirname, "..", "..", "test", "programs", "stuck-server.ts");
const MAIN = path.join(import.meta.dirname, "..", "main.ts");

let folder: string;
let home: string;
const pids: number[] = [];

beforeAll(async () => {
  folder = await realpath(await mkdtemp(path.join(tmpdir(), "ramet-server-")));
  home = path.join(folder, "home");
});
afterAll(async () => {
  for (const pid of pids) signalProcess(pid, "SIGKILL");
  await until(() => (pids.some(isRunning) ? undefined : true));
  const shared = path.join(home, "shared");
  // Root's home lies below a closed folder here: part of it is elsewhere.
  if (await exists(shared)) await rm(await realpath(shared), { recursive: true, force: true });
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

type Started = {
  readonly pid: number;
  readonly printed: () => string;
  readonly exited: Promise<Exit>;
};

async function start(args: readonly string[] = [MAIN, "serve"]): Promise<Started> {
  const environment = { RAMET_HOME: home, PATH: process.env["PATH"] ?? "", HOME: folder };
  const launch = { file: process.execPath, args, folder, environment, user: null };
  const { pid, stdout, stderr, exited } = await startPiped(launch);
  pids.push(pid);
  let text = "";
  for (const stream of [stdout, stderr])
    stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
  return { pid, printed: () => text, exited };
}

function ownHome(): Home {
  const environment = { RAMET_HOME: home };
  return findHome({ environment, uid: process.getuid?.() ?? null, userHome: folder });
}

async function serving(server: Started): Promise<Started> {
  await until(() => (server.printed().includes("Serving ") ? true : undefined));
  return server;
}

async function end(server: Started): Promise<void> {
  signalProcess(server.pid, "SIGTERM");
  await server.exited;
}

async function take(port: number): Promise<Server> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const taker = createServer().once("error", reject).listen(port, "127.0.0.1", resolve);
  await promise;
  return taker;
}

test("the ports that it had are taken again; where another program has them, the next free ones are used and told", async () => {
  const file = path.join(home, "server.json");
  // From a range in which no other server looks for its own while this one is down.
  const ports = { gatewayPort: await findFreePort(), databasePort: await findFreePort() };
  const unknown = { pid: null, startedAt: null, version: null };
  await mkdir(home, { mode: 0o711 });
  await writeServerFile(file, { homeId: "0123456789ab", ...ports, ...unknown });
  const first = await serving(await start());
  expect(await readServerFile(file)).toMatchObject({ ...ports, pid: first.pid });
  await end(first);
  expect(await readServerFile(file)).toMatchObject({ ...ports, pid: null, startedAt: null });

  const takers = [await take(ports.gatewayPort), await take(ports.databasePort)];
  const second = await serving(await start());
  const during = await readServerFile(file);
  expect(during).toMatchObject({ homeId: "0123456789ab", pid: second.pid });
  const all = [ports.gatewayPort, ports.databasePort, during.gatewayPort, during.databasePort];
  expect(new Set(all).size).toBe(4);
  expect(second.printed()).toContain(`gateway ${during.gatewayPort}`);
  await end(second);
  for (const taker of takers) taker.close();
});

test.each(["SIGTERM", "SIGKILL", "SIGKILL"] as const)(
  "of three servers that are started at one moment one serves, and the others leave it alone (then %s)",
  async (signal) => {
    const servers = await Promise.all([start(), start(), start()]);
    const isDecided = (): boolean =>
      servers.filter(({ pid }) => isRunning(pid)).length === 1 &&
      servers.some(({ pid, printed }) => isRunning(pid) && printed().includes("Serving "));
    await until(() => (isDecided() ? true : undefined));

    const [one] = servers.filter(({ pid }) => isRunning(pid));
    const others = servers.filter((server) => server !== one);
    for (const { exited, printed } of others) {
      expect(await exited).toEqual({ exitCode: 0, signal: null });
      expect(printed()).toContain("Another server keeps this home");
      expect(printed()).not.toContain("Serving");
    }
    expect(await readServerFile(path.join(home, "server.json"))).toMatchObject({ pid: one?.pid });
    expect(await readFile(path.join(home, "server.lock"), "utf8")).toBe(String(one?.pid));
    signalProcess(one?.pid ?? 0, signal);
    await one?.exited;
    expect(await exists(path.join(home, "server.lock"))).toBe(signal === "SIGKILL");
  },
);

test("a server that is to listen for others takes the place of one that a command has started, but of none that listens", async () => {
  const listening = "serve --listen 127.0.0.1:0 --behind-proxy https://ramet.test".split(" ");
  const plain = await serving(await start());
  const first = await serving(await start([MAIN, ...listening]));
  expect(await plain.exited).toEqual({ exitCode: 0, signal: null });
  expect(first.printed()).toContain("Calls from afar: 127.0.0.1:");
  const second = await start([MAIN, ...listening]);
  expect(await second.exited).toEqual({ exitCode: 2, signal: null });
  expect(second.printed()).toContain("listens for others already");
  await end(first);
});

test("a server whose storage cannot be mounted tells its caller so, ends, and touches nothing", async () => {
  const record = path.join(home, "storage.json");
  const apps = path.join(home, "apps");
  await mkdir(path.join(apps, "shop", "environments"), { recursive: true });
  await writeAtomically(record, JSON.stringify({ id: "0123456789abcdef", state: "used" }));
  try {
    const server = await start();
    const socket = path.join(home, "run", "server.sock");
    const token = (await readFile(path.join(home, "token"), "utf8")).trim();
    // Until it listens there is the socket of the one before it, or none.
    const answer = await until(async () =>
      ask(socket, { token, call: "environment.list" }).catch((error: unknown) => {
        if (!hasErrorCode(error, "ECONNREFUSED", "ENOENT")) throw error;
        return undefined;
      }),
    );
    expect(JSON.parse(answer)).toMatchObject({ problem: { code: "storage_unmounted" } });
    expect((await server.exited).exitCode).toBe(2);
    expect(await exists(path.join(apps, "shop", "environments"))).toBe(true);
  } finally {
    await rm(record);
    await rm(apps, { recursive: true });
  }
});

test("a server that was told to end before it began takes no home", async () => {
  const signal = AbortSignal.abort();
  const unused = { environment: {} };
  const printed: string[] = [];
  const log = (text: string): void => void printed.push(text);
  expect(await serve({ home: ownHome(), version: "0", signal, log, ...unused })).toBe(0);
  expect(printed).toEqual([]);
  expect(await exists(path.join(home, "server.lock"))).toBe(false);
});

test("a server ends though a create never does that it has given up, and the next one clears what that leaves", async () => {
  const app = path.join(folder, "app");
  await mkdir(app);
  const manifest = { processes: { web: { command: "sleep 600", port: false } }, database: false };
  await writeAtomically(path.join(app, "ramet.json"), JSON.stringify(manifest));
  const server = await serving(await start([STUCK, home, "after prepare"]));
  const socketPath = path.join(home, "run", "server.sock");
  const token = (await readFile(path.join(home, "token"), "utf8")).trim();
  const input = { app: "app", folder: app, searchPath: process.env["PATH"] ?? "" };
  const making = ask(socketPath, { token, call: "app.create", input }).catch(String);
  await until(() => (server.printed().includes("after prepare") ? true : undefined));
  signalProcess(server.pid, "SIGTERM");
  expect(await server.exited).toEqual({ exitCode: 0, signal: null });
  expect(server.printed()).toContain("ends with this server");
  await making;

  const next = await serving(await start());
  const tell = async (call: string, asked: object): Promise<unknown> =>
    JSON.parse(await ask(socketPath, { token, call, input: asked }));
  expect(await tell("environment.list", { app: null })).toEqual({ result: [] });
  expect(await tell("doctor", { fix: false })).toMatchObject({ result: { leftovers: [] } });
  const { homeId } = await readServerFile(path.join(home, "server.json"));
  const marks = (await findMarked(MARK_VARIABLE, `${homeId}.`)).map(({ mark }) => mark);
  // Who dials for environments outlives them for a while.
  expect(marks.filter((mark) => !mark.endsWith(".dialer"))).toEqual([]);
  for (const mark of marks) await endMarked(MARK_VARIABLE, mark, { graceMs: 0 });
  await end(next);
});

type Question = { readonly token: string; readonly call: string; readonly input?: object };

async function ask(
  socketPath: string,
  { token, call, input = { app: null } }: Question,
): Promise<string> {
  const headers = { [TOKEN_HEADER]: token, [PROTOCOL_HEADER]: String(PROTOCOL_VERSION) };
  const sent = request({ socketPath, method: "POST", path: `/calls/${call}`, headers });
  sent.end(JSON.stringify(input));
  const [response] = await once(sent, "response");
  return consumers.text(response);
}
