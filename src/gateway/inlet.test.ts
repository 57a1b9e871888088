import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";

import { sleep } from "../base/clock.ts";
import { findFreePort } from "../process/process.ts";
import { Inlets } from "../runtime/inlets.ts";
import { dialPort } from "../runtime/sockets/dial-port.ts";
import type { Dialled, Inlet } from "./target.ts";
import { ask, Stage, TestTarget } from "./test-stage.ts";

const HOST = "shop--x.localhost";

let stage = new Stage();
let folder: string;
let inlets: Inlets;
/** How often somebody came, or sent something. */
let uses = 0;

beforeEach(async () => {
  uses = 0;
  folder = await mkdtemp(path.join(tmpdir(), "ramet-inlet-"));
  inlets = new Inlets(folder, () => (uses += 1));
});

afterEach(async () => {
  await stage.close();
  await inlets.close();
  await rm(folder, { recursive: true });
  stage = new Stage();
});

/** Through another process alone. */
const carried = (port: number, name = String(port)): Inlet => ({
  path: path.join(folder, name),
  dial: async () => ({ kind: "unavailable" }),
});
/** By connections that are handed to us, and no other way. */
const handed = (port: number): Inlet => ({
  path: path.join(folder, "nowhere"),
  dial: async () => toDialled(await dialPort(port)),
});

function toDialled(connection: Socket | undefined): Dialled {
  return connection === undefined ? { kind: "refused" } : { kind: "connected", connection };
}

async function openTo(port: number, inlet = carried(port)): Promise<number> {
  return (await openTarget(port, inlet)).port;
}

async function openTarget(
  port: number,
  inlet: Inlet,
): Promise<{ readonly port: number; readonly target: TestTarget }> {
  const target = new TestTarget("shop--x", { kind: "ready", port, inlet });
  return { port: (await stage.gateway({ [HOST]: target }, 5_000)).port, target };
}

describe.each([
  ["through another process", carried],
  ["by a connection that is handed over", handed],
] as const)("%s", (_, inletOf) => {
  test.each(["127.0.0.1", "::1"])(
    "requests reach a process on %s behind its inlet",
    async (host) => {
      const upstream = await stage.upstream(
        (request, response) => {
          request.pipe(response);
        },
        { host, port: 0 },
      );
      await inlets.add(upstream.port);
      const port = await openTo(upstream.port, inletOf(upstream.port));
      const body = "0123456789".repeat(300_000);

      expect(await ask(port, HOST, { method: "POST", body })).toMatchObject({ status: 200, body });
      expect(await ask(port, HOST, { method: "POST", body: "again" })).toMatchObject({
        body: "again",
      });
    },
  );

  test("a POST waits while its process restarts, since nothing of it was sent to an inlet without a listener", async () => {
    const own = await findFreePort();
    await inlets.add(own);
    const port = await openTo(own, inletOf(own));
    const answer = ask(port, HOST, { method: "POST", body: "pay" });
    await sleep(100);
    await stage.upstream((request, response) => void request.pipe(response), {
      host: "127.0.0.1",
      port: own,
    });

    expect(await answer).toMatchObject({ status: 200, body: "pay" });
  });

  test("WebSockets pass through an inlet both ways and end with each other", async () => {
    const server = createHttpServer();
    const sockets = new WebSocketServer({ server });
    sockets.on("connection", (socket) => {
      socket.on("message", (message, isBinary) => socket.send(message, { binary: isBinary }));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const own = typeof address === "object" ? (address?.port ?? 0) : 0;
    await inlets.add(own);
    const { port, target } = await openTarget(own, inletOf(own));
    const client = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { host: HOST } });
    await once(client, "open");
    client.send("a".repeat(1_000_000));
    const [echoed]: unknown[] = await once(client, "message");
    expect(String(echoed)).toHaveLength(1_000_000);
    const before = target.stirred;
    client.send("beat");
    await once(client, "message");
    expect(target.stirred).toBeGreaterThan(before);

    const closed = once(client, "close");
    for (const one of sockets.clients) one.terminate();
    await closed;
    await closeServer(server);
  });
});

test("whoever comes to an inlet, and each that sends more on a connection that stays, is told of before it is passed on", async () => {
  const usesAtRequest: number[] = [];
  const upstream = await stage.upstream((request, response) => {
    usesAtRequest.push(uses);
    request.pipe(response);
  });
  await inlets.add(upstream.port);
  const port = await openTo(upstream.port);
  await ask(port, HOST, { method: "POST", body: "one" });
  await ask(port, HOST, { method: "POST", body: "two" });
  const [first = 0, second = 0] = usesAtRequest;
  expect(first).toBeGreaterThanOrEqual(2);
  expect(second).toBeGreaterThan(first);
});

test("an inlet that nobody made, or that says nothing and closes, is a process that does not answer", async () => {
  const mute = createServer((socket) => void socket.end()).listen(path.join(folder, "mute"));
  await once(mute, "listening");
  for (const name of ["none", "mute"]) {
    const port = await openTo(1, carried(1, name));
    const { status, body } = await ask(port, HOST, {
      headers: { accept: "text/html", "sec-fetch-mode": "navigate" },
    });
    expect(status).toBe(503);
    expect(body).toContain("shop--x");
  }
  await closeServer(mute);
});

async function closeServer(server: Server): Promise<void> {
  server.close();
  await once(server, "close");
}
