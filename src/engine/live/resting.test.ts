import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";

import { Client } from "pg";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { rememberIsolation } from "../processes/isolation.ts";
import { TestEngine, until } from "../test-engine.ts";
import type { Inlet } from "./held-runtime.ts";
import type { LiveEnvironment } from "./live-environment.ts";
import { isToFreeze, type Restful } from "./resting.ts";

const MINUTE_MS = 60_000;
/** Answers each line with it, and counts in a child of its own how often it was heard. */
const SERVER = `
import { spawn } from "node:child_process";
import { createServer } from "node:net";
spawn("sleep", ["1000"]);
createServer((client) => client.on("data", (line) => client.write("heard " + line))).listen(Number(process.env.PORT), "127.0.0.1");
`;
const MANIFEST = {
  processes: { web: { command: "exec node server.mjs" } },
  network: "none",
  sleep: "15m",
};

const RESTFUL: Restful = {
  idleMs: MINUTE_MS,
  sleepMs: 15 * MINUTE_MS,
  isOccupied: false,
  hasOwnNetwork: true,
  processes: [{ state: "ready" }, { state: "failed" }],
  cpu: 0.01,
};

test.each<[string, Partial<Restful>]>([
  ["was used within the last minute", { idleMs: MINUTE_MS - 1 }],
  ["never falls asleep, since nobody's coming would set it going", { sleepMs: null }],
  ["has somebody at it", { isOccupied: true }],
  ["is reached past us, on ports of the machine", { hasOwnNetwork: false }],
  ["is about to start a process", { processes: [{ state: "starting" }] }],
  ["is about to start one again", { processes: [{ state: "restarting" }] }],
  ["has no process at all", { processes: [] }],
  ["computes", { cpu: 0.5 }],
])("what %s is not held still", (_, change) => {
  expect(isToFreeze(RESTFUL)).toBe(true);
  expect(isToFreeze({ ...RESTFUL, ...change })).toBe(false);
});

let stage: TestEngine;
let live: LiveEnvironment;
let isSealed: boolean;

beforeAll(async () => {
  stage = await TestEngine.open();
  const isolation = rememberIsolation();
  isSealed = (await isolation(null)).kind === "isolated";
  await stage.reopen({ isolation });
  await stage.writeApp("still", { "server.mjs": SERVER });
  live = await stage.createApp("still", MANIFEST);
}, 60_000);
afterAll(async () => stage.close());

beforeEach(async ({ skip }) => {
  if (!isSealed) skip("This machine gives no network of its own.");
  await live.wake();
  await until(() => (live.processes()[0]?.state === "ready" ? true : undefined));
});

async function untilFrozen(): Promise<void> {
  stage.pass(MINUTE_MS);
  await until(() => (live.state() === "frozen" ? true : undefined));
}

/** States of the processes as the kernel tells them. */
async function readStates(): Promise<ReadonlySet<string>> {
  const marked = await stage.marked(`${live.record.id}.runtime`);
  const own = marked.filter(({ mark }) => mark.endsWith(".runtime"));
  return new Set(own.map(({ pid }) => stateOf(pid)));
}

function stateOf(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3);
}

function inlet(): Inlet {
  const found = live.inlet(live.processes()[0]?.port ?? 0);
  if (found === null) throw new Error("It has a network of its own.");
  return found;
}

/** As the gateway does where its keeper hands over what it connects. */
async function take(): Promise<Socket> {
  const dialled = await inlet().dial();
  if (dialled.kind !== "connected") throw new Error(dialled.kind);
  return dialled.connection.setEncoding("utf8");
}

/** Through the socket by which the gateway comes in otherwise. */
async function open(): Promise<Socket> {
  const socket = connect({ path: inlet().path });
  socket.setEncoding("utf8");
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once("data", () => resolve()).once("error", reject);
  await promise;
  return socket;
}

async function say(socket: Socket, line: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  socket.once("data", (chunk) => resolve(String(chunk)));
  socket.write(line);
  return promise;
}

test("what nobody uses for a minute is held still with all it has started, and a connection outlives it", async () => {
  const socket = await open();
  expect(await say(socket, "before")).toBe("heard before");
  await untilFrozen();
  expect(await readStates()).toEqual(new Set(["T"]));
  expect(await say(socket, "after")).toBe("heard after");
  await until(() => (live.state() === "awake" ? true : undefined));
  expect((await readStates()).has("T")).toBe(false);
  socket.destroy();
});

test("a connection that was handed over outlives it too, and whatever is sent on it sets the processes going", async () => {
  const socket = await take();
  expect(await say(socket, "before")).toBe("heard before");
  await untilFrozen();
  const heard = say(socket, "after");
  live.usage.stir();
  expect(await heard).toBe("heard after");
  await until(() => live.state() === "awake" || undefined);
  // A client that asks every few seconds does not wait each time.
  expect(live.resting.isFreezeDue()).toBe(false);
  await untilFrozen();
  const [next] = await Promise.all([take(), until(() => live.state() === "awake" || undefined)]);
  expect(await say(next, "again")).toBe("heard again");
  socket.destroy();
  next.destroy();
});

test("an open transaction is not left hanging: it counts as use", async () => {
  const { database } = live.record;
  const { socketFolder } = stage.layout.databasePlace(live.record);
  const client = new Client({
    host: socketFolder,
    user: "app",
    password: database?.appPassword ?? "",
    database: database?.name ?? "",
  });
  await client.connect();
  await client.query("BEGIN");
  stage.pass(MINUTE_MS);
  await until(() => (live.usage.idleMs() < MINUTE_MS ? true : undefined));
  expect(live.state()).toBe("awake");
  await client.end();
});

test("whoever comes to it while it is held still is answered, whatever server there is by then", async () => {
  await untilFrozen();
  const { registry } = await stage.reopen();
  live = registry.require("still", "development");
  const socket = await open();
  expect(await say(socket, "again")).toBe("heard again");
  socket.destroy();
});

test("a start sets it going, and when its time has come it falls asleep and its processes are gone", async () => {
  await untilFrozen();
  await live.wake();
  expect(live.state()).toBe("awake");
  await untilFrozen();
  stage.pass(14 * MINUTE_MS);
  await until(() => (live.record.state.kind === "asleep" ? true : undefined));
  await until(() => (live.state() === "asleep" ? true : undefined));
  expect(await stage.marked(`${live.record.id}.runtime`)).toEqual([]);
});
