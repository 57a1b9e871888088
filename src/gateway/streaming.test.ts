import { createHash, randomBytes } from "node:crypto";
import {
  Agent,
  type ClientRequest,
  type IncomingMessage,
  request,
  type ServerResponse,
} from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

import { afterEach, expect, test } from "vitest";

import { waitFor } from "../base/clock.ts";
import { ask, sendRaw, Stage, TestTarget } from "./test-stage.ts";

const HOST = "shop--x.localhost";
const MB = 1024 * 1024;

let stage = new Stage();
afterEach(async () => {
  await stage.close();
  stage = new Stage();
});

async function openTo(listener: Parameters<Stage["upstream"]>[0]): Promise<number> {
  const upstream = await stage.upstream(listener);
  const { port } = await stage.gateway({ [HOST]: new TestTarget("shop--x", upstream.port) });
  return port;
}

function begin(
  port: number,
  options: { method?: string; path?: string; headers?: Record<string, string> } = {},
): ClientRequest {
  const { headers, ...rest } = options;
  return request({
    host: "127.0.0.1",
    port,
    agent: false,
    ...rest,
    headers: { ...headers, host: HOST },
  });
}

function answerTo(outgoing: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.once("response", resolve);
    outgoing.once("error", reject);
  });
}

/** 1 MB of noise, again and again. */
function* repeat(megabytes: number): Generator<Buffer> {
  const noise = randomBytes(MB);
  for (let i = 0; i < megabytes; i += 1) yield noise;
}

async function digest(stream: AsyncIterable<Buffer>): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of stream) hash.update(chunk);
  return hash.digest("hex");
}

test("server-sent events arrive one by one, and their header before the first", async () => {
  const { promise: opened, resolve: open } = Promise.withResolvers<ServerResponse>();
  let isGone = false;
  const port = await openTo((_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.flushHeaders();
    open(response);
    response.once("close", () => (isGone = true));
  });

  const outgoing = begin(port).end();
  const answer = await answerTo(outgoing);
  expect(answer.headers["content-type"]).toBe("text/event-stream");
  const events = answer.setEncoding("utf8").iterator({ destroyOnReturn: false });
  for (const text of ["data: 1\n\n", "data: 2\n\n", "data: 3\n\n"]) {
    (await opened).write(text);
    expect(await events.next()).toEqual({ done: false, value: text });
  }

  outgoing.destroy();
  expect(await waitFor(() => isGone || undefined, { timeoutMs: 5000 })).toBe(true);
});

test.each([
  ["with its length", { "content-length": String(100 * MB) }],
  ["in chunks", { "transfer-encoding": "chunked" }],
])("100 MB go up %s, and the same 100 MB come down", async (_, headers) => {
  const port = await openTo((incoming, response) => {
    expect(incoming.headers).toMatchObject(headers);
    incoming.pipe(response);
  });
  const outgoing = begin(port, { method: "PUT", headers });
  const sent = createHash("sha256");
  for (const chunk of repeat(100)) sent.update(chunk);
  const noise = [...repeat(1)][0] ?? Buffer.alloc(0);
  const expected = createHash("sha256");
  for (let i = 0; i < 100; i += 1) expected.update(noise);

  const uploaded = pipeline(Readable.from(Array.from({ length: 100 }, () => noise)), outgoing);
  const received = await digest(await answerTo(outgoing));
  await uploaded;
  expect(received).toBe(expected.digest("hex"));
});

test("a client that does not read holds the target back, and one that reads on gets all", async () => {
  const total = 64;
  let sent = 0;
  const port = await openTo((_, response) => {
    const source = Readable.from(repeat(total));
    source.on("data", () => (sent += 1));
    source.pipe(response);
  });
  const answer = await answerTo(begin(port).end());
  answer.pause();
  const stalled = await waitForStall(() => sent);
  expect(stalled).toBeLessThan(total / 2);

  let received = 0;
  for await (const chunk of answer) received += Buffer.from(chunk).length;
  expect(received).toBe(total * MB);
});

test("a target that does not read holds the client back", async () => {
  const total = 64;
  let sent = 0;
  const { promise: opened, resolve: open } = Promise.withResolvers<IncomingMessage>();
  const port = await openTo((incoming, response) => {
    incoming.on("end", () => response.end("read"));
    open(incoming);
  });
  const outgoing = begin(port, { method: "POST" });
  const source = Readable.from(repeat(total));
  source.on("data", () => (sent += 1));
  const uploaded = pipeline(source, outgoing);
  const stalled = await waitForStall(() => sent);
  expect(stalled).toBeLessThan(total / 2);

  (await opened).resume();
  await uploaded;
  expect(sent).toBe(total);
});

/** The count at which nothing has moved for a while. */
async function waitForStall(count: () => number): Promise<number> {
  let last = -1;
  const stalled = await waitFor(
    () => {
      const isStill = count() > 0 && count() === last;
      last = count();
      return isStill ? last : undefined;
    },
    { timeoutMs: 10_000, everyMs: 300 },
  );
  return stalled ?? Number.POSITIVE_INFINITY;
}

test("a client that leaves during its upload ends it at the target", async () => {
  let isAborted = false;
  const port = await openTo((incoming) => {
    incoming.resume().once("error", () => (isAborted = true));
  });
  const outgoing = begin(port, { method: "POST", headers: { "content-length": "1000" } });
  outgoing.on("error", () => undefined);
  outgoing.write("half");
  await waitFor(() => (outgoing.socket?.bytesWritten ?? 0) > 0 || undefined, { timeoutMs: 5000 });
  outgoing.destroy();
  expect(await waitFor(() => isAborted || undefined, { timeoutMs: 5000 })).toBe(true);
});

test.each([
  ["in chunks", {}],
  ["with a length", { "content-length": "1000" }],
])("a target that breaks off its answer %s breaks the client's connection", async (_, headers) => {
  const port = await openTo((_incoming, response) => {
    response.writeHead(200, headers);
    response.write("half");
    setImmediate(() => response.socket?.resetAndDestroy());
  });
  await expect(ask(port, HOST)).rejects.toThrow(/aborted|ECONNRESET|hang up/);
});

test("a target that speaks no HTTP is 502", async () => {
  const port = await openTo((incoming) => {
    incoming.socket.end("SSH-2.0-OpenSSH\r\n");
  });
  expect(await ask(port, HOST)).toMatchObject({ status: 502 });
});

test("a target that answers before the upload is done: the client gets the answer, and its connection goes on", async () => {
  const port = await openTo((incoming, response) => {
    if (incoming.method === "POST") response.writeHead(413).end("too large");
    else response.end("next");
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const outgoing = request({
    host: "127.0.0.1",
    port,
    agent,
    method: "POST",
    headers: { host: HOST },
  });
  outgoing.write("x");
  const answer = await answerTo(outgoing);
  expect(answer.statusCode).toBe(413);
  expect(await answer.toArray()).toEqual([Buffer.from("too large")]);
  for (const chunk of repeat(8)) outgoing.write(chunk);
  outgoing.end();

  const next = await answerTo(
    request({ host: "127.0.0.1", port, agent, headers: { host: HOST } }).end(),
  );
  expect(await next.toArray()).toEqual([Buffer.from("next")]);
  agent.destroy();
});

test("100 Continue invites the body, which then arrives", async () => {
  const port = await openTo((incoming, response) => {
    expect(incoming.headers.expect).toBeUndefined();
    incoming.pipe(response);
  });
  const outgoing = begin(port, {
    method: "POST",
    headers: { expect: "100-continue", "content-length": "4" },
  });
  outgoing.flushHeaders();
  await new Promise((resolve) => outgoing.once("continue", resolve));
  outgoing.end("body");
  expect(await (await answerTo(outgoing)).toArray()).toEqual([Buffer.from("body")]);
});

test.each([
  ["GET", "with a body", "body"],
  ["DELETE", "with a body", "body"],
  ["GET", "", ""],
  ["HEAD", "", ""],
  ["OPTIONS", "", ""],
  ["PROPFIND", "with a body", "body"],
])("%s %s reaches the target as it is", async (method, _, body) => {
  const port = await openTo((incoming, response) => {
    response.setHeader("x-method", incoming.method ?? "");
    incoming.pipe(response);
  });
  const headers = body === "" ? {} : { "content-length": String(body.length) };
  const asked = await ask(port, HOST, { method, headers, body });
  expect(asked).toMatchObject({ status: 200, headers: { "x-method": method }, body });
});

test.each([204, 304])("an answer %d without a body ends", async (status) => {
  const port = await openTo((_, response) => response.writeHead(status, { etag: "x" }).end());
  expect(await ask(port, HOST)).toMatchObject({ status, headers: { etag: "x" }, body: "" });
});

test("an early hint is no answer", async () => {
  const port = await openTo((_, response) => {
    response.writeEarlyHints({ link: "</a.css>; rel=preload" });
    response.end("page");
  });
  expect(await ask(port, HOST)).toMatchObject({ status: 200, body: "page" });
});

test("a client of HTTP/1.0 gets its answer unchunked, and the end of the connection", async () => {
  const port = await openTo((_, response) => {
    response.write("one ");
    response.end("two");
  });
  const answer = await sendRaw(port, `GET / HTTP/1.0\r\nHost: ${HOST}\r\n\r\n`, 5000);
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(answer.toLowerCase()).not.toContain("transfer-encoding");
  expect(answer.endsWith("\r\n\r\none two")).toBe(true);
});
