import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type Server, type Socket, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";

import { waitFor } from "../base/clock.ts";
import { PROCESS_STATES } from "../environment/environment.ts";
import {
  type KeeperCommand,
  WIRE_VERSION,
  parseCommand,
  parseEvent,
  receive,
  send,
} from "./wire.ts";

const LIMIT_MS = 20_000;
let folder: string;
let server: Server;
let near: Socket;
let far: Socket;
let taken: KeeperCommand[];

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "ramet-wire-"));
  const file = path.join(folder, "s");
  server = createServer().listen(file);
  await once(server, "listening");
  const accepted = Promise.withResolvers<Socket>();
  server.once("connection", accepted.resolve);
  far = connect(file);
  near = await accepted.promise;
  taken = [];
  receive(near, parseCommand, (command) => taken.push(command));
});

afterEach(async () => {
  for (const socket of [near, far]) socket.destroy();
  server.close();
  await rm(folder, { recursive: true });
});

async function untilTaken(count: number): Promise<void> {
  await waitFor(() => taken.length >= count || undefined, { timeoutMs: LIMIT_MS });
}

async function isHungUp(): Promise<boolean> {
  const gone = await waitFor(() => near.destroyed || undefined, { timeoutMs: LIMIT_MS });
  return gone === true;
}

test("messages arrive whole and in order, however the bytes are cut", async () => {
  const commands = Array.from({ length: 50 }, (_, id): KeeperCommand => {
    return { kind: "restart", id, name: `é🦊 ${"x".repeat(id * 37)}\n` };
  });
  const bytes = Buffer.from(commands.map((command) => `${JSON.stringify(command)}\n`).join(""));
  for (let at = 0; at < bytes.length; at += 101) far.write(bytes.subarray(at, at + 101));

  await untilTaken(commands.length);

  expect(taken).toEqual(commands);
});

test("what is sent is what is received", async () => {
  const command: KeeperCommand = { kind: "restart", id: 1, name: "a\nb\u2028\0" };
  send(far, command);
  await untilTaken(1);
  expect(taken).toEqual([command]);
});

test.each([
  ["no JSON", "nonsense"],
  ["nothing between two ends", ""],
  ["half a message", '{"kind":"stop","id":'],
  ["another kind", '{"kind":"format-disk","id":1}'],
  ["a list", '[{"kind":"stop","id":1}]'],
  ["bytes that are no text", "\xff\xfe"],
  ["a depth that no stack holds", "[".repeat(1_000_000)],
])("%s ends the connection, after what came before it", async (_what, line) => {
  far.write('{"kind":"stop","id":7}\n');
  far.write(Buffer.from(`${line}\n{"kind":"stop","id":8}\n`, "latin1"));

  expect(await isHungUp()).toBe(true);
  expect(taken).toEqual([{ kind: "stop", id: 7 }]);
});

test("a line without an end is given up at its limit, not kept", async () => {
  const chunk = Buffer.alloc(1024 * 1024, "x");
  far.on("error", () => {
    // Hung up while it still writes.
  });
  for (let megabytes = 0; megabytes < 20 && !far.destroyed; megabytes += 1) far.write(chunk);

  expect(await isHungUp()).toBe(true);
  expect(taken).toEqual([]);
});

test("a connection that is cut in the midst of a message says nothing", async () => {
  far.end('{"kind":"stop","id":1}');
  await once(near, "end");
  expect(taken).toEqual([]);
});

test("a reader that lags behind too far is given up", async () => {
  far.pause();
  const name = "x".repeat(1024 * 1024);
  for (let id = 0; id < 40; id += 1) send(near, { kind: "restart", id, name });

  expect(near.destroyed).toBe(true);
  send(near, { kind: "stop", id: 99 });
});

test("sending to one that has gone is nothing", async () => {
  far.destroy();
  await once(near, "close");
  send(near, { kind: "stop", id: 1 });
  expect(near.writableLength).toBe(0);
});

const state = fc.record({
  name: fc.string(),
  state: fc.constantFrom(...PROCESS_STATES),
  port: fc.option(fc.nat()),
  pid: fc.option(fc.nat()),
  problem: fc.option(fc.record({ code: fc.string(), message: fc.string(), remedy: fc.string() })),
});

test("every state that a keeper can tell is understood as it was told", () => {
  fc.assert(
    fc.property(fc.array(state), (processes) => {
      const told = { hasOwnNetwork: true, canFreeze: true, isFrozen: true, processes };
      const event = { kind: "states", version: WIRE_VERSION, ...told };
      expect(parseEvent(JSON.parse(JSON.stringify(event)))).toEqual(event);
    }),
  );
});

test("no JSON makes more of a command than a refusal", () => {
  const shape = fc.record(
    {
      kind: fc.constantFrom("apply", "restart", "stop", "states", ""),
      id: fc.oneof(fc.nat(), fc.jsonValue()),
      name: fc.jsonValue(),
      logs: fc.jsonValue(),
      mark: fc.jsonValue(),
      plan: fc.oneof(
        fc.jsonValue(),
        fc.record({ processes: fc.jsonValue(), relays: fc.jsonValue() }),
      ),
    },
    { requiredKeys: ["kind"] },
  );
  fc.assert(
    fc.property(fc.oneof(shape, fc.jsonValue()), (value) => {
      expect([undefined, "apply", "restart", "stop"]).toContain(kindOf(value));
    }),
  );
});

function kindOf(value: unknown): string | undefined {
  try {
    return parseCommand(JSON.parse(JSON.stringify(value))).kind;
  } catch {
    // Refused.
    return undefined;
  }
}
