import { availableParallelism } from "node:os";
import path from "node:path";

import { ThreadPool } from "../base/thread-pool.ts";
import type { Hashed } from "./disk.ts";
import type { FileCopy, FileDone, FileJob } from "./file-jobs.ts";

/** More would wait for the disk alone. */
const MOST_THREADS = 4;
export const THREADS = Math.min(MOST_THREADS, availableParallelism());

const pool = new ThreadPool<FileJob, readonly FileDone[]>({
  program: path.join(import.meta.dirname, "file-worker.js"),
  most: THREADS,
});

/** Of each file, in a thread: nothing's hash where no plain file stands. */
export async function hashInThread(files: readonly string[]): Promise<readonly Hashed[]> {
  return (await pool.run({ kind: "hash", files })).map(toHashed);
}

/** Copies files to where nothing stands, in a thread. */
export async function copyInThread(copies: readonly FileCopy[]): Promise<readonly Hashed[]> {
  return (await pool.run({ kind: "copy", copies })).map(toHashed);
}

function toHashed(done: FileDone): Hashed {
  if ("done" in done) return { status: "fulfilled", value: done.done };
  const { message, code } = done.failure;
  return { status: "rejected", reason: Object.assign(new Error(message), { code }) };
}
