import { once } from "node:events";
import { type Server, connect, createServer } from "node:net";
import path from "node:path";

import { afterEach, expect, test } from "vitest";

import { only, plan, start, stateOf, until, useBench } from "../../test/programs/bench.ts";
import { findFreePort } from "../process/process.ts";

const bench = useBench();

let servers: Server[] = [];

afterEach(() => {
  for (const server of servers) server.close();
  servers = [];
});

test("a relay leads to its socket, survives the socket's absence, and goes with its plan", async () => {
  const port = await findFreePort();
  const target = path.join(bench().folder, "target.sock");
  const runtime = await start(bench(), {
    processes: [],
    relays: [{ port, socket: target, isHeld: false }],
    inlets: null,
    addresses: null,
    wayOut: null,
  });
  expect(await talk(port, "lost")).toBe("");

  const echo = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => undefined);
    socket.pipe(socket);
  }).listen(target);
  servers.push(echo);
  await once(echo, "listening");
  const much = "0123456789".repeat(500_000);
  expect(await talk(port, much)).toBe(much);

  await runtime.apply(only());
  await expect(talk(port, "x")).rejects.toThrow("ECONNREFUSED");
});

test("a relay whose port is taken is a problem, and the processes that run go on", async () => {
  const port = await findFreePort();
  const stranger = createServer().listen(port, "127.0.0.1");
  servers.push(stranger);
  await once(stranger, "listening");
  const same = plan("never-listens.mjs", { ready: { kind: "none" } });
  const runtime = await start(bench(), only(same));
  const before = await until(runtime, "ready");

  const taken = runtime.apply({
    processes: [same],
    relays: [{ port, socket: path.join(bench().folder, "s"), isHeld: false }],
    inlets: null,
    addresses: null,
    wayOut: null,
  });

  await expect(taken).rejects.toMatchObject({ code: "relay_port_taken" });
  expect(stateOf(runtime)).toEqual(before);
});

test("an end is passed on as an end: who has said all still hears the answer", async () => {
  const port = await findFreePort();
  const target = path.join(bench().folder, "count.sock");
  const counting = createServer({ allowHalfOpen: true }, (socket) => {
    let bytes = 0;
    socket.on("data", (chunk) => (bytes += chunk.length));
    socket.once("end", () => socket.end(String(bytes)));
  }).listen(target);
  servers.push(counting);
  await once(counting, "listening");
  await start(bench(), {
    processes: [],
    relays: [{ port, socket: target, isHeld: false }],
    inlets: null,
    addresses: null,
    wayOut: null,
  });

  expect(await talk(port, "x".repeat(1_234_567))).toBe("1234567");
});

test("many connections at once each have their own, and one that breaks breaks no other", async () => {
  const port = await findFreePort();
  const target = path.join(bench().folder, "echo.sock");
  const echo = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => undefined);
    socket.pipe(socket);
  }).listen(target);
  servers.push(echo);
  await once(echo, "listening");
  await start(bench(), {
    processes: [],
    relays: [{ port, socket: target, isHeld: false }],
    inlets: null,
    addresses: null,
    wayOut: null,
  });
  const breaking = connect({ port, host: "127.0.0.1" });
  await once(breaking, "connect");

  const talks = Array.from({ length: 60 }, async (_, at) => talk(port, `${at} `.repeat(2_000)));
  breaking.resetAndDestroy();

  expect(await Promise.all(talks)).toEqual(talks.map((_, at) => `${at} `.repeat(2_000)));
});

async function talk(port: number, words: string): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1" });
  const parts: Buffer[] = [];
  socket.on("data", (part) => parts.push(Buffer.from(part)));
  await once(socket, "connect");
  // What was sent and never read is answered with a reset.
  socket.on("error", () => undefined);
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  socket.once("close", () => resolve());
  socket.end(words);
  await closed;
  return Buffer.concat(parts).toString();
}
