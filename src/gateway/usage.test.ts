import { once } from "node:events";
import { get, type ServerResponse } from "node:http";

import { afterEach, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";

import { waitFor } from "../base/clock.ts";
import { ask, Stage, TestTarget } from "./test-stage.ts";

const HOST = "shop--x.localhost";

let stage = new Stage();
afterEach(async () => {
  await stage.close();
  stage = new Stage();
});

async function until(isSo: () => boolean): Promise<void> {
  const isTrue = await waitFor(() => (isSo() ? true : undefined), { timeoutMs: 10_000 });
  if (isTrue === undefined) throw new Error(`Not within 10 s: ${String(isSo)}`);
}

test("somebody is at it while a request waits for its answer, whether it comes or not", async () => {
  const { promise: held, resolve: answerNow } = Promise.withResolvers<void>();
  const upstream = await stage.upstream((request, response) => {
    const answer = (): void => {
      if (request.url === "/cut") response.destroy();
      else response.end("done");
    };
    void held.then(answer);
  });
  const target = new TestTarget("shop--x", upstream.port);
  const { port } = await stage.gateway({ [HOST]: target });
  const answers = [ask(port, HOST), ask(port, HOST, { path: "/cut", method: "POST" })];
  await until(() => target.occupants === 2);
  answerNow();
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 502]);
  await until(() => target.occupants === 0);
});

test("nobody is at what answers without end, and what it sends to stay connected is no use", async () => {
  const { promise: begun, resolve: begin } = Promise.withResolvers<ServerResponse>();
  const upstream = await stage.upstream((_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.flushHeaders();
    begin(response);
  });
  const target = new TestTarget("shop--x", upstream.port);
  const { port } = await stage.gateway({ [HOST]: target });
  const events = get({ host: "127.0.0.1", port, headers: { host: HOST }, agent: false });
  const [answer] = await once(events, "response");
  const stream = await begun;
  let heard = "";
  answer.on("data", (chunk: Buffer) => (heard += String(chunk)));
  expect(target.occupants).toBe(0);
  for (let beat = 1; beat <= 5; beat += 1) {
    stream.write(": ping\n\n");
    await until(() => heard.length === beat * 8);
  }
  expect(target.touched).toBe(1);
  stream.write("data: an order came in\n\n");
  await until(() => target.touched === 2);
  events.destroy();
});

test("an idle WebSocket is no use of it, and a conversation on one is", async () => {
  const upstream = await stage.upstream((_, response) => response.end());
  const server = new WebSocketServer({ server: upstream.server });
  server.on("connection", (socket) => {
    socket.on("message", (message) => socket.send(message));
  });
  const target = new TestTarget("shop--x", upstream.port);
  const { port } = await stage.gateway({ [HOST]: target });
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { host: HOST } });
  await once(socket, "open");
  expect(target.occupants).toBe(0);
  for (let beat = 0; beat < 5; beat += 1) {
    socket.send(`{"type":"ping"}`);
    await once(socket, "message");
  }
  const before = target.touched;
  expect(before).toBeLessThanOrEqual(2);
  for (const text of ["a", "word", "and another"]) {
    socket.send(text);
    await once(socket, "message");
  }
  expect(target.touched).toBeGreaterThanOrEqual(before + 3);
  socket.terminate();
});
