import { once } from "node:events";
import { request } from "node:http";

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

test("each request is noted once it is over, whoever answered it", async () => {
  const upstream = await stage.upstream((incoming, response) => {
    response.writeHead(incoming.url === "/none" ? 404 : 200).end();
  });
  const target = new TestTarget("shop--x", upstream.port);
  const { port } = await stage.gateway({ [HOST]: target });
  await ask(port, HOST, { path: "/a?b" });
  await ask(port, HOST, { path: "/none", method: "POST" });
  await ask(port, "nobody.localhost");
  target.become({ kind: "unavailable", problem: { code: "c", message: "m", remedy: "r" } });
  await ask(port, HOST, { path: "/fallen" });
  await waitFor(() => target.noted[2], { timeoutMs: 5000 });
  expect(target.noted).toMatchObject([
    { method: "GET", path: "/a?b", host: HOST, protocol: "HTTP/1.1", status: 200 },
    { method: "POST", path: "/none", status: 404 },
    { method: "GET", path: "/fallen", status: 503 },
  ]);
});

test("a client that leaves before its answer is noted as that, and a WebSocket when it ends", async () => {
  const upstream = await stage.upstream(() => undefined);
  const sockets = new WebSocketServer({ server: upstream.server });
  const target = new TestTarget("shop--x", upstream.port);
  const { port } = await stage.gateway({ [HOST]: target });
  const outgoing = request({ host: "127.0.0.1", port, headers: { host: HOST } });
  outgoing.on("error", () => undefined).end();
  await waitFor(() => target.occupants || undefined, { timeoutMs: 5000 });
  outgoing.destroy();
  await waitFor(() => target.noted[0], { timeoutMs: 5000 });

  const socket = new WebSocket(`ws://127.0.0.1:${port}/live`, { headers: { host: HOST } });
  await once(socket, "open");
  expect(target.noted).toHaveLength(1);
  socket.close();
  await waitFor(() => target.noted[1], { timeoutMs: 5000 });
  expect(target.noted).toMatchObject([{ status: 499 }, { path: "/live", status: 101 }]);
  sockets.close();
});
