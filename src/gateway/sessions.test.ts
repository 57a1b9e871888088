import { once } from "node:events";
import { type ClientHttp2Session, connect, createServer, type Http2Server } from "node:http2";

import { afterEach, beforeEach, expect, test } from "vitest";

import { waitFor } from "../base/clock.ts";
import { Sessions } from "./sessions.ts";

let sessions: Sessions;
let server: Http2Server;
let client: ClientHttp2Session;

beforeEach(async () => {
  sessions = new Sessions();
  server = createServer();
  server.on("session", (session) => sessions.keep(session));
  server.on("stream", (stream) => stream.respond({ ":status": 200 }));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = address === null || typeof address === "string" ? 0 : address.port;
  client = connect(`http://127.0.0.1:${port}`);
  client.on("error", () => undefined);
  await once(client, "connect");
  await waitFor(() => (sessions.size === 1 ? true : undefined), { timeoutMs: 5000 });
});
afterEach(async () => {
  client.destroy();
  sessions.close();
  await new Promise((resolve) => server.close(resolve));
});

test("a connection on which nothing is asked is closed once it has been idle", async () => {
  sessions.sweep(60_000);
  expect(sessions.size).toBe(1);
  sessions.sweep(0);
  await once(client, "close");
  expect(sessions.size).toBe(0);
});

test("one on which something is answered still is not, however long that takes", async () => {
  const stream = client.request({ ":path": "/" });
  await once(stream, "response");
  sessions.sweep(0);
  expect(client.closed).toBe(false);
  stream.close();
  await once(stream, "close");
  await waitFor(
    () => {
      sessions.sweep(0);
      return client.closed ? true : undefined;
    },
    { timeoutMs: 5000 },
  );
  expect(client.closed).toBe(true);
});

test("leaving lets an answer end, and takes no new request", async () => {
  const stream = client.request({ ":path": "/" });
  await once(stream, "response");
  sessions.leave();
  await waitFor(() => (client.closed ? true : undefined), { timeoutMs: 5000 });
  expect(stream.destroyed).toBe(false);
  const late = client.request({ ":path": "/" });
  await expect(once(late, "response")).rejects.toThrow(/GOAWAY|cancel/i);
  stream.close();
  await new Promise((resolve) => void client.once("close", resolve));
});

test("closing ends them all", async () => {
  const stream = client.request({ ":path": "/" });
  await once(stream, "response");
  stream.on("error", () => undefined);
  sessions.close();
  await once(client, "close");
  expect(sessions.size).toBe(0);
});
