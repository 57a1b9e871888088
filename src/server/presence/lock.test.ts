import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { sleep } from "../../base/clock.ts";
import { exists } from "../../base/remove-inside.ts";
import { acquireLock } from "./lock.ts";

let folder: string;
let file: string;
let socket: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "ramet-lock-"));
  file = path.join(folder, "server.lock");
  socket = path.join(folder, "server.sock");
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

/** Above the kernel's highest pid: nobody's. */
const NOBODY = 2 ** 22 + 1;

test("the first has the lock, and gives it back", async () => {
  const lock = await acquireLock(file, socket);
  expect(await readFile(file, "utf8")).toBe(String(process.pid));
  await lock?.release();
  expect(await exists(file)).toBe(false);
});

test("a second leaves as soon as the first answers", async () => {
  const server = createServer().listen(socket);
  const lock = await acquireLock(file, socket);

  expect(await acquireLock(file, socket)).toBeUndefined();

  await lock?.release();
  server.close();
});

test("the lock of a process that has ended is taken over", async () => {
  await writeFile(file, String(NOBODY));
  const lock = await acquireLock(file, socket);
  expect(await readFile(file, "utf8")).toBe(String(process.pid));
  await lock?.release();
});

test("a lock whose pid belongs to a program that is no server is taken over after a while", async () => {
  await writeFile(file, String(process.ppid));
  const lock = await acquireLock(file, socket);
  expect(await readFile(file, "utf8")).toBe(String(process.pid));
  await lock?.release();
});

test("of several who find a stale lock one breaks it, and the others leave what comes then alone", async () => {
  await writeFile(file, String(NOBODY));
  await writeFile(`${file}.breaking`, String(process.ppid));
  const waiting = acquireLock(file, socket);
  const isFirst = await Promise.race([waiting.then(() => true), sleep(300).then(() => false)]);
  expect(isFirst).toBe(false);
  expect(await readFile(file, "utf8")).toBe(String(NOBODY));

  await rm(`${file}.breaking`);
  await (await waiting)?.release();
  expect(await exists(file)).toBe(false);
});

test("whoever was killed while breaking a stale lock keeps nobody from it", async () => {
  await writeFile(file, String(NOBODY));
  await writeFile(`${file}.breaking`, String(NOBODY));
  const lock = await acquireLock(file, socket);
  expect(await readFile(file, "utf8")).toBe(String(process.pid));
  expect(await exists(`${file}.breaking`)).toBe(false);
  await lock?.release();
});

test("giving back a lock that another has by now leaves it to the other", async () => {
  const lock = await acquireLock(file, socket);
  await writeFile(file, String(process.ppid));
  await lock?.release();
  expect(await readFile(file, "utf8")).toBe(String(process.ppid));
});
