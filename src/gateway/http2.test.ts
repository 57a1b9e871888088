import { once } from "node:events";
import type { RequestListener } from "node:http";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from "node:http2";
import { Readable } from "node:stream";

import { afterEach, expect, test } from "vitest";

import { waitFor } from "../base/clock.ts";
import { Stage, TestTarget } from "./test-stage.ts";

const HOST = "shop--x.localhost";
const MB = 1024 * 1024;

let stage = new Stage();
let sessions: ClientHttp2Session[] = [];
afterEach(async () => {
  for (const session of sessions) session.destroy();
  sessions = [];
  await stage.close();
  stage = new Stage();
});

async function openTo(
  listener: RequestListener,
): Promise<{ session: ClientHttp2Session; target: TestTarget; port: number; ca: string }> {
  const upstream = await stage.upstream(listener);
  const target = new TestTarget("shop--x", upstream.port);
  const { port, ca } = await stage.secureGateway({ [HOST]: target });
  return { session: await openSession(port, ca), target, port, ca };
}

async function openSession(port: number, ca: string): Promise<ClientHttp2Session> {
  const session = connect(`https://127.0.0.1:${port}`, { ca, servername: HOST });
  sessions.push(session);
  await once(session, "connect");
  return session;
}

function begin(session: ClientHttp2Session, headers: OutgoingHttpHeaders = {}): ClientHttp2Stream {
  return session.request({ ":authority": HOST, ...headers }, { endStream: false });
}

async function answerTo(
  stream: ClientHttp2Stream,
): Promise<IncomingHttpHeaders & { body: string }> {
  const [headers]: IncomingHttpHeaders[] = await once(stream, "response");
  let body = "";
  stream.setEncoding("utf8");
  for await (const chunk of stream) body += String(chunk);
  return { ...headers, body };
}

async function askTo(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders = {},
  body?: string,
): Promise<Record<string, unknown>> {
  const stream = begin(session, headers);
  stream.end(body);
  return answerTo(stream);
}

test("a request of HTTP/2 reaches a process of HTTP/1.1 as one of its own: Host, one cookie, a body of its length", async () => {
  const { session } = await openTo((incoming, response) => {
    const { host, cookie, ...others } = incoming.headers;
    response.setHeader("set-cookie", ["a=1", "b=2"]);
    response.setHeader("connection", "close");
    let text = "";
    incoming.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    incoming.on("end", () => {
      response.end(JSON.stringify({ host, cookie, url: incoming.url, text, others }));
    });
  });
  const { body, ...headers } = await askTo(
    session,
    {
      ":method": "POST",
      ":path": "/a?b",
      cookie: ["c=1", "d=2"],
      "content-length": "5",
      "x-forwarded-proto": "spoofed",
      "x-ramet-hops": "0",
    },
    "order",
  );
  expect(headers).toMatchObject({ ":status": 200, "set-cookie": ["a=1", "b=2"] });
  expect(headers).not.toHaveProperty("connection");
  expect(JSON.parse(String(body))).toMatchObject({
    host: HOST,
    cookie: "c=1; d=2",
    url: "/a?b",
    text: "order",
    others: { "content-length": "5", "x-forwarded-proto": "https", "x-forwarded-host": HOST },
  });
});

test("a hundred requests at once on one connection each get their own answer", async () => {
  const { session } = await openTo((incoming, response) => response.end(incoming.url));
  const answers = await Promise.all(
    Array.from(
      { length: 100 },
      async (_, n) => (await askTo(session, { ":path": `/${n}` }))["body"],
    ),
  );
  expect(answers).toEqual(Array.from({ length: 100 }, (_, n) => `/${n}`));
});

test("events arrive one by one, and a client that leaves ends them at the process", async () => {
  let isGone = false;
  const { session } = await openTo((_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write("data: 1\n\n");
    response.once("close", () => (isGone = true));
  });
  const stream = begin(session);
  stream.end();
  const [headers]: IncomingHttpHeaders[] = await once(stream, "response");
  expect(headers?.["content-type"]).toBe("text/event-stream");
  const [event]: unknown[] = await once(stream, "data");
  expect(String(event)).toBe("data: 1\n\n");
  stream.close();
  expect(await waitFor(() => isGone || undefined, { timeoutMs: 5000 })).toBe(true);
});

test("24 MB go up and come down, held back by whoever does not read", async () => {
  const { session } = await openTo((incoming, response) => void incoming.pipe(response));
  const stream = begin(session, { ":method": "PUT" });
  const chunk = Buffer.alloc(MB, "x");
  let sent = 0;
  const source = Readable.from(Array.from({ length: 24 }, () => chunk));
  source.on("data", () => (sent += 1));
  source.pipe(stream);
  await once(stream, "response");
  await waitFor(() => (sent > 0 ? true : undefined), { timeoutMs: 5000 });
  const before = await waitForStall(() => sent);
  expect(before).toBeLessThan(24);
  let received = 0;
  for await (const part of stream) received += Buffer.from(part).length;
  expect(received).toBe(24 * MB);
});

async function waitForStall(count: () => number): Promise<number> {
  let last = -1;
  const stalled = await waitFor(
    () => {
      const isStill = count() === last;
      last = count();
      return isStill ? last : undefined;
    },
    { timeoutMs: 10_000, everyMs: 300 },
  );
  return stalled ?? Number.POSITIVE_INFINITY;
}

test.each([
  ["another host in its Host header", { host: "shop--y.localhost" }],
  ["a malformed authority", { ":authority": "[::1" }],
  ["an asterisk", { ":method": "OPTIONS", ":path": "*" }],
])("%s is refused, and the connection goes on", async (_, headers) => {
  const reached: string[] = [];
  const { session } = await openTo((incoming, response) => {
    reached.push(incoming.url ?? "");
    response.end("reached");
  });
  expect(await askTo(session, headers)).toMatchObject({ ":status": 400 });
  expect(await askTo(session, { ":path": "/well" })).toMatchObject({ body: "reached" });
  expect(reached).toEqual(["/well"]);
});

test.each([
  ["a user in its authority", { ":authority": `a@${HOST}` }],
  ["an absolute target", { ":path": "http://shop--y.localhost/" }],
  ["a host name with a space", { ":authority": `${HOST} shop--y.localhost` }],
])(
  "%s breaks the protocol: its stream alone ends, and nothing reaches a process",
  async (_, headers) => {
    const reached: string[] = [];
    const { session } = await openTo((incoming, response) => {
      reached.push(incoming.url ?? "");
      response.end("reached");
    });
    await expect(askTo(session, headers)).rejects.toThrow("NGHTTP2_PROTOCOL_ERROR");
    expect(await askTo(session, { ":path": "/well" })).toMatchObject({ body: "reached" });
    expect(reached).toEqual(["/well"]);
  },
);

test("an unknown host is 404, and another of the same connection is answered", async () => {
  const { session } = await openTo((_, response) => response.end("reached"));
  const unknown = await askTo(session, { ":authority": "shop--y.localhost" });
  expect(unknown).toMatchObject({ ":status": 404, "content-type": "application/json" });
  expect(await askTo(session)).toMatchObject({ ":status": 200 });
});

test("a browser sees the waiting page, and a program waits until its target is there", async () => {
  const { session, target } = await openTo((_, response) => response.end("awake"));
  const ready = target.state();
  target.become({ kind: "asleep" });
  const page = await askTo(session, { accept: "text/html", "sec-fetch-mode": "navigate" });
  expect(page).toMatchObject({ ":status": 503, body: expect.stringContaining("Waking up") });
  target.onWake = () => target.become(ready);
  expect(await askTo(session)).toMatchObject({ ":status": 200, body: "awake" });
});

test("what is asked is noted with its protocol and its status", async () => {
  const { session, target } = await openTo((_, response) => response.writeHead(418).end());
  await askTo(session, { ":path": "/tea" });
  await waitFor(() => target.noted[0], { timeoutMs: 5000 });
  expect(target.noted).toMatchObject([
    { method: "GET", path: "/tea", host: HOST, protocol: "HTTP/2.0", status: 418 },
  ]);
});

test("a body that is longer than it says ends its connection, and is never read as a second request", async () => {
  const reached: string[] = [];
  const { session, port, ca } = await openTo((incoming, response) => {
    reached.push(`${incoming.method} ${incoming.url}`);
    incoming.on("error", () => undefined);
    incoming.resume().on("end", () => response.end("read"));
  });
  session.on("error", () => undefined);
  const liar = begin(session, { ":method": "POST", "content-length": "3" });
  liar.on("error", () => undefined);
  liar.end("GET /smuggled HTTP/1.1\r\n\r\n");
  await new Promise((resolve) => void liar.once("close", resolve));
  const next = await openSession(port, ca);
  expect(await askTo(next, { ":method": "POST", ":path": "/next" }, "true")).toMatchObject({
    body: "read",
  });
  expect(reached.filter((line) => line !== "POST /")).toEqual(["POST /next"]);
});
