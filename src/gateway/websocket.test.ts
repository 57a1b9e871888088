import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { connect, createServer, type Socket } from "node:net";
import { Duplex } from "node:stream";

import { afterEach, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";

import { waitFor } from "../base/clock.ts";
import type { Gateway } from "./gateway.ts";
import { joinSockets } from "./join-sockets.ts";
import { ask, sendRaw, Stage, TestTarget } from "./test-stage.ts";

const HOST = "shop--x.localhost";
const UPGRADE = `Host: ${HOST}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n`;

let stage = new Stage();
afterEach(async () => {
  await stage.close();
  stage = new Stage();
});

/** A target that answers each message with itself, and each request with its path. */
async function openEcho(): Promise<{
  gateway: Gateway;
  target: TestTarget;
  sockets: WebSocketServer;
  paths: string[];
}> {
  const paths: string[] = [];
  const upstream = await stage.upstream((request, response) => {
    paths.push(`${request.method} ${request.url}`);
    response.end(request.url);
  });
  const sockets = new WebSocketServer({
    server: upstream.server,
    handleProtocols: () => "vite-hmr",
  });
  sockets.on("connection", (socket: WebSocket, request: IncomingMessage) => {
    paths.push(`WS ${request.url} ${request.headers.host}`);
    socket.on("message", (message, isBinary) => {
      socket.send(message, { binary: isBinary });
    });
  });
  const target = new TestTarget("shop--x", upstream.port);
  const gateway = await stage.gateway({ [HOST]: target });
  return { gateway, target, sockets, paths };
}

function dial(port: number, path = "/"): WebSocket {
  return new WebSocket(`ws://127.0.0.1:${port}${path}`, ["vite-hmr"], { headers: { host: HOST } });
}

async function exchange(
  socket: WebSocket,
  message: string | Buffer,
): Promise<{ data: unknown; isBinary: unknown }> {
  const answered = once(socket, "message");
  socket.send(message);
  const [data, isBinary]: unknown[] = await answered;
  return { data, isBinary };
}

test("messages go both ways, with path, host and subprotocol", async () => {
  const { gateway, paths } = await openEcho();
  const socket = dial(gateway.port, "/hmr?token=1");
  await once(socket, "open");
  expect(socket.protocol).toBe("vite-hmr");
  expect(paths).toEqual([`WS /hmr?token=1 ${HOST}`]);
  for (let i = 0; i < 100; i += 1) {
    expect(await exchange(socket, `message ${i}`)).toEqual({
      data: Buffer.from(`message ${i}`),
      isBinary: false,
    });
  }
  socket.close();
  await once(socket, "close");
});

test("a frame of 20 MB arrives unchanged", async () => {
  const { gateway } = await openEcho();
  const socket = dial(gateway.port);
  await once(socket, "open");
  const bytes = randomBytes(20 * 1024 * 1024);
  const { data } = await exchange(socket, bytes);
  expect(Buffer.isBuffer(data) && data.equals(bytes)).toBe(true);
  socket.terminate();
});

test("close codes and reasons pass in both directions", async () => {
  const { gateway, sockets } = await openEcho();
  const first = dial(gateway.port);
  const [accepted]: unknown[] = await once(sockets, "connection");
  await waitFor(() => first.readyState === WebSocket.OPEN || undefined, { timeoutMs: 5000 });
  const upstreamClosed = accepted instanceof WebSocket ? once(accepted, "close") : undefined;
  first.close(4001, "bye");
  expect(await upstreamClosed).toEqual([4001, Buffer.from("bye")]);

  const second = dial(gateway.port);
  const clientClosed = once(second, "close");
  const [other]: unknown[] = await once(sockets, "connection");
  if (other instanceof WebSocket) other.close(4002, "restart");
  expect(await clientClosed).toEqual([4002, Buffer.from("restart")]);
});

test("a side that vanishes takes the other with it", async () => {
  const { gateway, sockets } = await openEcho();
  const leaving = dial(gateway.port);
  await once(leaving, "open");
  leaving.terminate();
  expect(await waitFor(() => sockets.clients.size === 0 || undefined, { timeoutMs: 5000 })).toBe(
    true,
  );

  const staying = dial(gateway.port);
  await once(staying, "open");
  for (const client of sockets.clients) client.terminate();
  const [code]: unknown[] = await once(staying, "close");
  expect(code).toBe(1006);
});

test("one that leaves lets nobody in, and carries what it carries until it is closed", async () => {
  const { gateway } = await openEcho();
  const socket = dial(gateway.port);
  await once(socket, "open");
  const left = gateway.leave();
  const [refusal]: unknown[] = await once(dial(gateway.port), "error");
  expect(refusal).toMatchObject({ code: "ECONNREFUSED" });
  expect(await exchange(socket, "still here")).toMatchObject({ data: Buffer.from("still here") });

  const cut = once(socket, "close");
  await gateway.close();
  await Promise.all([cut, left]);
});

test("fifty WebSockets at once keep apart", async () => {
  const { gateway } = await openEcho();
  const sockets = Array.from({ length: 50 }, (_, index) => dial(gateway.port, `/${index}`));
  await Promise.all(sockets.map((socket) => once(socket, "open")));
  const answers = await Promise.all(
    sockets.map((socket, index) => exchange(socket, `own ${index}`)),
  );
  expect(answers.map(({ data }) => String(data))).toEqual(
    sockets.map((_, index) => `own ${index}`),
  );
  for (const socket of sockets) socket.terminate();
});

test("a WebSocket wakes its target and is joined to it", async () => {
  const { gateway, target } = await openEcho();
  const ready = target.state();
  target.become({ kind: "asleep" });
  target.onWake = () => {
    target.become(ready);
  };
  const socket = dial(gateway.port);
  await once(socket, "open");
  expect(await exchange(socket, "hello")).toMatchObject({ data: Buffer.from("hello") });
  socket.terminate();
});

test("a target that declines answers for itself, whole, and the connection ends", async () => {
  const body = "x".repeat(3_000_000);
  const upstream = await stage.upstream((_, response) => response.end());
  upstream.server.on("upgrade", (_, socket) => {
    socket.end(
      `HTTP/1.1 401 Unauthorized\r\nX-Why: login\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
  });
  const { port } = await stage.gateway({ [HOST]: new TestTarget("shop--x", upstream.port) });
  const answer = await sendRaw(port, `GET / HTTP/1.1\r\n${UPGRADE}\r\n`, 5000);
  expect(answer).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\n/);
  expect(answer).toContain("X-Why: login");
  expect(answer.endsWith(`\r\n\r\n${body}`)).toBe(true);
});

test("an unknown host's WebSocket gets 404", async () => {
  const { gateway } = await openEcho();
  const head = `GET / HTTP/1.1\r\n${UPGRADE.replace(HOST, "shop--y.localhost")}\r\n`;
  expect(await sendRaw(gateway.port, head, 5000)).toMatch(/^HTTP\/1\.1 404 /);
});

test("bytes sent before the upgrade was granted never reach a target that declines it", async () => {
  const { gateway, paths, sockets } = await openEcho();
  sockets.options.verifyClient = () => false;
  const smuggled = `GET /smuggled HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`;
  const answer = await sendRaw(gateway.port, `GET /ws HTTP/1.1\r\n${UPGRADE}\r\n${smuggled}`, 1000);
  expect(answer).toMatch(/^HTTP\/1\.1 401 /);
  expect(paths).toEqual([]);
});

test("a frame sent along with the upgrade reaches a target that grants it", async () => {
  const { gateway } = await openEcho();
  const mask = [0, 0, 0, 0];
  const frame = String.fromCharCode(0x81, 0x85, ...mask) + "eager";
  const answer = await sendRaw(gateway.port, `GET / HTTP/1.1\r\n${UPGRADE}\r\n${frame}`, 1000);
  expect(answer).toMatch(/^HTTP\/1\.1 101 /);
  expect(answer.endsWith("\x81\x05eager")).toBe(true);
});

test("what a target sent before it closed still arrives, however late the client reads", async () => {
  const bytes = Buffer.alloc(16 * 1024 * 1024);
  const target = new Duplex({ read: () => undefined, write: (_, __, done) => done() });
  const server = createServer((socket) => {
    const events = { onUse: ignore, onSent: ignore, onEnd: () => void server.close() };
    joinSockets({ socket, head: Buffer.alloc(0) }, target, events);
    target.push(bytes);
    setImmediate(() => target.destroy());
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  const port = address === null || typeof address === "string" ? 0 : address.port;
  const closed = once(server, "close");
  const client = connect({ host: "127.0.0.1", port });
  await once(target, "close");
  let received = 0;
  for await (const chunk of client) received += Buffer.from(chunk).length;
  expect(received).toBe(bytes.length);
  expect(await closed).toEqual([]);
});

test("an upgrade to anything but websocket is an ordinary request", async () => {
  const { gateway } = await openEcho();
  const headers = {
    connection: "Upgrade, HTTP2-Settings",
    upgrade: "h2c",
    "http2-settings": "AAMAAABk",
  };
  expect(await ask(gateway.port, HOST, { path: "/plain", headers })).toMatchObject({
    status: 200,
    body: "/plain",
  });
});

test("an upgrade behind a request that is still answered ends that connection, not the gateway", async () => {
  const { gateway } = await openEcho();
  await sendRaw(
    gateway.port,
    `GET /1 HTTP/1.1\r\nHost: ${HOST}\r\n\r\nGET /2 HTTP/1.1\r\n${UPGRADE}\r\n`,
    1000,
  );
  expect(await ask(gateway.port, HOST, { path: "/after" })).toMatchObject({ status: 200 });
});

test("closing the gateway ends its WebSockets", async () => {
  const { gateway } = await openEcho();
  const socket = dial(gateway.port);
  await once(socket, "open");
  const closed = once(socket, "close");
  await gateway.close();
  expect(await closed).toEqual([1006, Buffer.alloc(0)]);
});

test("a side that never closes by itself is cut a while after the other has ended: it would count for ever", async () => {
  const pairs = await Promise.all([openPair(), openPair()]);
  const [[client, nearClient], [app, nearApp]] = pairs;
  const ended = Promise.withResolvers<void>();
  joinSockets({ socket: nearClient, head: Buffer.alloc(0) }, nearApp, {
    onUse: ignore,
    onSent: ignore,
    onEnd: () => ended.resolve(),
    halfOpenMs: 50,
  });
  // It hears the end, and does nothing about it.
  app.on("end", () => undefined).resume();
  client.end();
  await ended.promise;
  expect(nearApp.destroyed).toBe(true);
  client.destroy();
  app.destroy();
});

/** Both ends of a connection, neither of which ends because the other does. */
async function openPair(): Promise<[far: Socket, near: Socket]> {
  const server = createServer({ allowHalfOpen: true });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = address === null || typeof address === "string" ? 0 : address.port;
  const accepted = new Promise<Socket>((resolve) => void server.once("connection", resolve));
  const far = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
  const near = await accepted;
  server.close();
  return [far, near];
}

function ignore(): void {}
