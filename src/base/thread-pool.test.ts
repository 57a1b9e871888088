import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { sleep } from "./clock.ts";
import { THREAD_LIMITS } from "./own-program.ts";
import { answerWith, ThreadPool } from "./thread-pool.ts";

/** Echoes, tells its thread, fails as the file system does, or dies. */
const PROGRAM = `
import { parentPort, resourceLimits, threadId } from "node:worker_threads";
parentPort.on("message", ({ say, wait }) => {
  if (say === "die") process.exit(1);
  if (say === "fail") return parentPort.postMessage({ failure: { message: "no room", code: "ENOSPC" } });
  if (say === "limits") return parentPort.postMessage({ done: { said: JSON.stringify(resourceLimits), thread: threadId } });
  if (say === "bug") return parentPort.postMessage({ failure: { message: "a bug", code: null } });
  const flag = new Int32Array(wait);
  Atomics.wait(flag, 0, 0, 20_000);
  return parentPort.postMessage({ done: { said: say, thread: threadId } });
});
`;

type Job = { readonly say: string; readonly wait: SharedArrayBuffer };
type Done = { readonly said: string; readonly thread: number };

let folder = "";
let program = "";
let gate = new SharedArrayBuffer(4);

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "ramet-pool-"));
  program = path.join(folder, "program.mjs");
  await writeFile(program, PROGRAM);
  gate = new SharedArrayBuffer(4);
});
afterEach(async () => rm(folder, { recursive: true }));

/** From now on no job is held up. */
function open(): void {
  const flag = new Int32Array(gate);
  Atomics.store(flag, 0, 1);
  Atomics.notify(flag, 0);
}

const job = (say: string): Job => ({ say, wait: gate });

test("no more threads are started than there may be, and each job is answered with its own outcome", async () => {
  const pool = new ThreadPool<Job, Done>({ program, most: 2 });
  const jobs = ["a", "b", "c", "d"].map(async (say) => pool.run(job(say)));
  open();
  const done = await Promise.all(jobs);
  expect(done.map(({ said }) => said)).toEqual(["a", "b", "c", "d"]);
  expect(new Set(done.map(({ thread }) => thread)).size).toBeLessThanOrEqual(2);
});

test("one thread does everything where there is one", async () => {
  const pool = new ThreadPool<Job, Done>({ program, most: 1 });
  open();
  const done = await Promise.all(["a", "b", "c"].map(async (say) => pool.run(job(say))));
  expect(done.map(({ said }) => said)).toEqual(["a", "b", "c"]);
  expect(new Set(done.map(({ thread }) => thread)).size).toBe(1);
});

test("a thread does not let more pile up before it looks what is needed than a program of ours", async () => {
  const pool = new ThreadPool<Job, Done>({ program, most: 1 });
  const { said } = await pool.run(job("limits"));
  expect(JSON.parse(said)).toMatchObject(THREAD_LIMITS);
});

test("a job that fails does so with the code of what went wrong, and the next is done all the same", async () => {
  const pool = new ThreadPool<Job, Done>({ program, most: 1 });
  open();
  await expect(pool.run(job("fail"))).rejects.toMatchObject({ message: "no room", code: "ENOSPC" });
  await expect(pool.run(job("bug"))).rejects.not.toHaveProperty("code");
  expect((await pool.run(job("next"))).said).toBe("next");
});

test("a thread that dies takes its own job with it, and another does the next", async () => {
  const pool = new ThreadPool<Job, Done>({ program, most: 1 });
  open();
  await expect(pool.run(job("die"))).rejects.toThrow("The thread has ended.");
  expect((await pool.run(job("next"))).said).toBe("next");
});

test("jobs that wait while the only thread dies are done by another", async () => {
  const pool = new ThreadPool<Job, Done>({ program, most: 1 });
  open();
  const dying = pool.run(job("die"));
  const next = pool.run(job("next"));
  await expect(dying).rejects.toThrow("The thread has ended.");
  expect((await next).said).toBe("next");
});

test("a program that is not there fails its jobs", async () => {
  const pool = new ThreadPool<Job, Done>({ program: path.join(folder, "missing.mjs"), most: 1 });
  await expect(pool.run(job("a"))).rejects.toThrow(/missing\.mjs/);
});

function failToFind(): never {
  throw Object.assign(new Error("gone"), { code: "ENOENT" });
}

async function failOtherwise(): Promise<never> {
  throw new Error("a bug");
}

test("what a job comes to crosses as an answer, whether it is waited for or not", async () => {
  expect(await answerWith(() => 1)).toEqual({ done: 1 });
  expect(await answerWith(async () => 2)).toEqual({ done: 2 });
  expect(await answerWith(failToFind)).toEqual({ failure: { message: "gone", code: "ENOENT" } });
  expect(await answerWith(failOtherwise)).toEqual({ failure: { message: "a bug", code: null } });
});

test("a job that comes just as a thread is given back is done by another", async () => {
  const pool = new ThreadPool<Job, Done>({ program, most: 1, idleMs: 1 });
  open();
  const threads = new Set<number>();
  for (let round = 0; round < 20; round += 1) {
    threads.add((await pool.run(job("a"))).thread);
    // Before, at and after the moment at which it is given back.
    await sleep(round % 4);
  }
  expect(threads.size).toBeGreaterThan(1);
});
