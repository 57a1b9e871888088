import { mkdir } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { createServer } from "node:net";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import type { LogLine, Progress } from "../../environment/environment.ts";
import type { Home } from "../../protocol/home.ts";
import { openAnsweringServer, send } from "../fixtures/call-server.ts";
import type { AnsweringServer, ReceivedCall } from "../fixtures/call-server.ts";
import { captureContext, createFolder, removeFolder } from "../fixtures/context.ts";
import { callServer } from "./client.ts";

const LIST = { name: "app.list", input: {} } as const;
const PROGRESS: Progress = { part: "database", state: "done", ms: 12, detail: "reflink" };
const LINE: LogLine = {
  time: "2026-01-01T00:00:00.000Z",
  process: "web",
  stream: "stdout",
  level: "info",
  message: "hé",
  fields: {},
  text: "hé",
};

let folder: string;
let home: Home;
let server: AnsweringServer | undefined;

beforeEach(async () => {
  folder = await createFolder();
  home = captureContext(folder).home;
});

afterEach(async () => {
  await server?.close();
  server = undefined;
  await removeFolder(folder);
});

async function serve(
  answer: (call: ReceivedCall, response: ServerResponse) => void,
): Promise<AnsweringServer> {
  server = await openAnsweringServer(home, answer);
  return server;
}

test("a call carries the token and the protocol, and its answer's events come in order", async () => {
  const { calls } = await serve((_call, response) =>
    send(response, { progress: PROGRESS }, { line: LINE }, { result: [] }),
  );
  const events: unknown[] = [];
  const answer = await callServer(home, LIST, {
    onProgress: (progress) => events.push(progress),
    onLine: (line) => events.push(line),
  });
  expect(answer).toEqual([]);
  expect(events).toEqual([PROGRESS, LINE]);
  expect(calls[0]).toMatchObject({
    name: "app.list",
    headers: { "x-ramet-token": "a-token", "x-ramet-protocol": "1" },
  });
});

test("an answer that comes in the smallest pieces is the same answer", async () => {
  const bytes = Buffer.from(
    `${JSON.stringify({ line: LINE })}\n\n${JSON.stringify({ result: [] })}\n`,
  );
  await serve((_call, response) => {
    response.flushHeaders();
    for (const byte of bytes) response.write(Buffer.from([byte]));
    response.end();
  });
  const lines: LogLine[] = [];
  await callServer(home, LIST, { onLine: (line) => lines.push(line) });
  expect(lines).toEqual([LINE]);
});

test("a problem arrives as the problem that it is", async () => {
  const problem = { code: "environment_unknown", message: "No.", remedy: "Yes." };
  await serve((_call, response) => send(response, { problem }));
  await expect(callServer(home, LIST)).rejects.toMatchObject({ name: "Problem", ...problem });
});

test("a mistake on the server's side is no problem of the person's", async () => {
  await serve((_call, response) => send(response, { bug: "x is undefined" }));
  await expect(callServer(home, LIST)).rejects.toMatchObject({
    name: "Error",
    message: "x is undefined",
  });
});

test.each<[what: string, answer: (response: ServerResponse) => void, code: string]>([
  ["words that are no JSON", (response) => response.end("<html>\n"), "answer_unreadable"],
  ["an unknown message", (response) => send(response, { later: 1 }), "answer_unreadable"],
  [
    "a result of another shape",
    (response) => send(response, { result: [{ name: 1 }] }),
    "answer_unreadable",
  ],
  ["nothing", (response) => void response.end(), "connection_lost"],
  ["a cut-off line", (response) => response.end('{"result":[]}'), "connection_lost"],
  // A server that was just killed: the CLI starts another and asks again.
  ["a broken connection", (response) => void response.socket?.destroy(), "server_not_running"],
  [
    "something that is no HTTP",
    (response) => response.socket?.end("hello\r\n\r\n"),
    "answer_unreadable",
  ],
  [
    "a newer protocol",
    (response) => {
      response.setHeader("x-ramet-protocol", "2");
      send(response, { result: [] });
    },
    "protocol_mismatch",
  ],
])("%s is told as what it is", async (_what, answer, code) => {
  await serve((_call, response) => answer(response));
  await expect(callServer(home, LIST)).rejects.toMatchObject({ name: "Problem", code });
});

test("a connection that breaks in the middle of an answer is told as lost", async () => {
  await serve((_call, response) => {
    response.write(`${JSON.stringify({ progress: PROGRESS })}\n`, () => response.socket?.destroy());
  });
  const seen: Progress[] = [];
  const call = callServer(home, LIST, { onProgress: (progress) => seen.push(progress) });
  await expect(call).rejects.toMatchObject({ code: "connection_lost" });
  expect(seen).toEqual([PROGRESS]);
});

test.each([
  ["before it answers", (): void => undefined],
  [
    "in the middle of its answer",
    (_call: ReceivedCall, response: ServerResponse): void => response.flushHeaders(),
  ],
])("a server that falls silent %s is waited for only so long", async (_when, answer) => {
  await serve(answer);
  await expect(callServer(home, LIST, { silenceMs: 100 })).rejects.toMatchObject({
    code: "server_silent",
  });
});

test("a slow answer is waited for as long as something comes", async () => {
  await serve((_call, response) => {
    let left = 6;
    const timer = setInterval(() => {
      left -= 1;
      response.write(`${JSON.stringify({ progress: PROGRESS })}\n`);
      if (left > 0) return;
      clearInterval(timer);
      send(response, { result: [] });
    }, 60);
  });
  await expect(callServer(home, LIST, { silenceMs: 250 })).resolves.toEqual([]);
});

test("a caller that stops is heard at once, and the server sees it go", async () => {
  const gone = Promise.withResolvers<void>();
  await serve((_call, response) => {
    response.flushHeaders();
    response.once("close", () => gone.resolve());
    stop.abort(new DOMException("Stopped.", "AbortError"));
  });
  const stop = new AbortController();
  await expect(callServer(home, LIST, { signal: stop.signal })).rejects.toMatchObject({
    name: "AbortError",
  });
  await gone.promise;
});

test("no socket, and a socket that nobody listens on, both mean that no server runs", async () => {
  await expect(callServer(home, LIST)).rejects.toMatchObject({ code: "server_not_running" });
  await serve(() => undefined);
  await server?.close();
  server = undefined;
  await expect(callServer(home, LIST)).rejects.toMatchObject({ code: "server_not_running" });
});

test("a server that has not written its token yet is not there yet", async () => {
  const problem = { code: "token_wrong", message: "No.", remedy: "No." };
  await serve((_call, response) => send(response, { problem }));
  await expect(callServer(home, LIST)).rejects.toMatchObject({ code: "token_wrong" });
  const other = { ...home, token: path.join(folder, "none") };
  await expect(callServer(other, LIST)).rejects.toMatchObject({ code: "server_not_running" });
});

test("a server that takes the connection and never speaks HTTP is given up", async () => {
  await mkdir(path.dirname(home.socket), { recursive: true });
  const mute = createServer();
  await new Promise<void>((resolve) => {
    mute.listen(home.socket, resolve);
  });
  try {
    await expect(callServer(home, LIST, { silenceMs: 100 })).rejects.toMatchObject({
      code: "server_silent",
    });
  } finally {
    mute.close();
  }
});
