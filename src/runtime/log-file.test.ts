import { execFileSync } from "node:child_process";
import {
  mkdtemp,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";

import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";

import { LogFile, MAX_LINE_BYTES, MAX_LOG_BYTES, OLD_LOGS, logFile } from "./log-file.ts";
import { LogTail } from "./log-tail.ts";
import { readLog } from "./runtime.ts";

let logs: string;

beforeEach(async () => {
  logs = await mkdtemp(path.join(tmpdir(), "ramet-log-"));
});

afterEach(async () => {
  await rm(logs, { recursive: true });
});

async function texts(last = 1_000): Promise<readonly string[]> {
  return (await readLog(logs, { process: "web", last })).map((one) => one.text);
}

async function write(...lines: readonly string[]): Promise<void> {
  const log = new LogFile(logs, "web");
  await log.write("stdout", lines);
  await log.close();
}

test("whatever a process prints is read as it was written", async () => {
  const line = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("", "\u2028", '"}', "\\n", "\0", "\u001B[31m", "{}"),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 20 }), async (lines) => {
      const folder = await mkdtemp(path.join(logs, "run-"));
      const log = new LogFile(folder, "web");
      await log.write("stderr", lines);
      await log.close();
      const read = await readLog(folder, { process: "web", last: 100 });
      expect(read.map(({ text }) => Buffer.from(text))).toEqual(
        lines.map((one) => Buffer.from(one)),
      );
      await rm(folder, { recursive: true });
    }),
    { numRuns: 50 },
  );
});

test("the last lines are the last of all, however many are asked for", async () => {
  const all = Array.from({ length: 500 }, (_, at) => `${at} ${"x".repeat(at * 11)}`);
  await write(...all);
  for (const last of [0, 1, 7, 499, 500, 501, 100_000]) {
    expect(await texts(last)).toEqual(last === 0 ? [] : all.slice(-last));
  }
  for (const odd of [-1, 0.4]) expect(await texts(odd)).toEqual([]);
});

test("a line that is longer than the longest becomes several, and none is lost", async () => {
  const long = "abcdefgh".repeat(MAX_LINE_BYTES / 4);
  const log = new LogFile(logs, "web");
  await log.copy("stdout", Readable.from([Buffer.from(`${long}\nnext\n`)]));
  await log.close();

  const read = await texts();
  expect(read.at(-1)).toBe("next");
  expect(read.slice(0, -1).join("")).toBe(long);
  expect(Math.max(...read.map((one) => one.length))).toBeLessThanOrEqual(MAX_LINE_BYTES);
});

test("a log is turned when it is full, the oldest is dropped, and the order stays", async () => {
  const filler = "f".repeat(MAX_LINE_BYTES - 200);
  const log = new LogFile(logs, "web");
  const count = Math.ceil(((OLD_LOGS + 2) * MAX_LOG_BYTES) / filler.length);
  for (let at = 0; at < count; at += 1) await log.write("stdout", [`${at} ${filler}`]);
  await log.close();

  expect((await readdir(logs)).toSorted()).toEqual(["web.1.jsonl", "web.2.jsonl", "web.jsonl"]);
  for (const name of await readdir(logs))
    expect((await stat(path.join(logs, name))).size).toBeLessThanOrEqual(MAX_LOG_BYTES);
  const numbers = (await texts(100_000)).map((text) => Number.parseInt(text, 10));
  const first = numbers[0] ?? 0;
  expect(numbers).toEqual(Array.from({ length: count - first }, (_, at) => first + at));
});

test("a log that another keeper filled is turned by the next one, at the same size", async () => {
  await writeFile(logFile(logs, "web", 0), "x".repeat(MAX_LOG_BYTES));
  await write("after");

  expect(await texts()).toEqual(["after"]);
  expect((await stat(logFile(logs, "web", 1))).size).toBeGreaterThanOrEqual(MAX_LOG_BYTES);
});

test("a log that somebody emptied, or moved away, is written on", async () => {
  const log = new LogFile(logs, "web");
  await log.write("stdout", ["one"]);
  await truncate(logFile(logs, "web", 0));
  await log.write("stdout", ["two"]);
  expect(await texts()).toEqual(["two"]);

  await log.close();
  await rename(logFile(logs, "web", 0), path.join(logs, "elsewhere"));
  await log.write("stdout", ["three"]);
  expect(await texts()).toEqual(["three"]);
  await log.close();
});

test("two streams of a process are each in order, and no line is torn", async () => {
  const log = new LogFile(logs, "web");
  await Promise.all([
    log.copy("stdout", Readable.from(counting("out"))),
    log.copy("stderr", Readable.from(counting("err"))),
  ]);
  await log.close();

  const read = await readLog(logs, { process: "web", last: 1_000 });
  for (const [stream, word] of [
    ["stdout", "out"],
    ["stderr", "err"],
  ] as const) {
    const own = read.filter((one) => one.stream === stream).map(({ text }) => text);
    expect(own).toEqual(Array.from({ length: 300 }, (_, at) => `${word} ${at}`));
  }
});

test("a pipe that breaks keeps what came before", async () => {
  const log = new LogFile(logs, "web");
  await log.copy("stdout", Readable.from(broken()));
  await log.close();
  expect(await texts()).toEqual(["whole", "half"]);
});

test("of what was printed the last twenty lines are remembered, of this life alone", async () => {
  const log = new LogFile(logs, "web");
  await log.write(
    "stdout",
    Array.from({ length: 50 }, (_, at) => String(at)),
  );
  expect(log.lastLines()).toEqual(Array.from({ length: 20 }, (_, at) => String(30 + at)));
  log.forgetLastLines();
  await log.write("ramet", ["ours"]);
  expect(log.lastLines()).toEqual([]);
  await log.close();
});

test("a log is its owner's alone", async () => {
  await write("secret");
  expect((await stat(logFile(logs, "web", 0))).mode & 0o777).toBe(0o600);
});

test("a pipe that was planted in a log's place keeps nobody waiting", async () => {
  execFileSync("mkfifo", [logFile(logs, "web", 0)]);
  expect(await texts()).toEqual([]);
  const tail = new LogTail(logs, "web");
  expect(await tail.next()).toEqual([]);
  await tail.close();
});

test("a tail reads on behind what it has read, through an end that is half written", async () => {
  const tail = new LogTail(logs, "web");
  expect(await tail.next()).toEqual([]);
  await write("one");
  expect((await tail.next()).map(({ text }) => text)).toEqual(["one"]);
  const whole = await readFile(logFile(logs, "web", 0), "utf8");
  await writeFile(logFile(logs, "web", 0), whole + whole.slice(0, 30));
  expect(await tail.next()).toEqual([]);
  await writeFile(logFile(logs, "web", 0), whole + whole);
  expect((await tail.next()).map(({ text }) => text)).toEqual(["one"]);
  await tail.close();
});

test("a line that is no line of ours, however long, does not stop a tail", async () => {
  const own = `${JSON.stringify({ time: "t", process: "web", stream: "stdout", text: "own" })}\n`;
  await writeFile(logFile(logs, "web", 0), `${"x".repeat(3 * 1024 * 1024)}\n${own}`);
  const tail = new LogTail(logs, "web");
  const heard: string[] = [];
  for (let turn = 0; turn < 6; turn += 1)
    heard.push(...(await tail.next()).map(({ text }) => text));
  expect(heard).toEqual(["own"]);
  await tail.close();
});

function counting(word: string): Buffer[] {
  return Array.from({ length: 300 }, (_, at) => Buffer.from(`${word} ${at}\n`));
}

async function* broken(): AsyncGenerator<Buffer> {
  yield Buffer.from("whole\nhalf");
  throw new Error("broken");
}
