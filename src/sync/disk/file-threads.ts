import { availableParallelism } from "node:os";
import path from "node:path";

import { type Answer, ThreadPool } from "../../base/thread-pool.ts";
import type { CopiedAhead, Examined, Hashed, KeptFile, Placed, StampedFolder } from "./disk.ts";
import type { FileAhead, FileCopy, FileJob, FileMove, FilesDone } from "./file-jobs.ts";

/** More would wait for the disk alone. */
const MOST_THREADS = 4;
export const THREADS = Math.min(MOST_THREADS, availableParallelism());

const SAME: PromiseSettledResult<Examined> = { status: "fulfilled", value: { kind: "same" } };

const pool = new ThreadPool<FileJob, FilesDone>({
  program: path.join(import.meta.dirname, "file-worker.js"),
  most: THREADS,
});

/** Looks at files and reads those that have changed, in a thread. @param exact the device whose times are exact */
export async function examineInThread(
  files: readonly string[],
  versions: readonly (string | null)[],
  exact: bigint | null,
): Promise<readonly PromiseSettledResult<Examined>[]> {
  const { examined } = await pool.run({ kind: "examine", files, versions, exact });
  const answers = new Map(examined);
  return files.map((_, index) => {
    const answer = answers.get(index);
    return answer === undefined ? SAME : toSettled(answer);
  });
}

/** Finds out in a thread which folders are as they were stamped. @param root the tree's real path */
export async function surveyInThread(
  root: string,
  folders: readonly StampedFolder[],
): Promise<readonly number[]> {
  return (await pool.run({ kind: "survey", root, folders })).same;
}

/** Copies files to where nothing stands, in a thread. */
export async function copyInThread(copies: readonly FileCopy[]): Promise<readonly Hashed[]> {
  return (await pool.run({ kind: "copy", copies })).hashes.map(toSettled);
}

/** The same of those that are not of the version that is known. @param exact the device whose times are exact */
export async function copyAheadInThread(
  copies: readonly FileAhead[],
  exact: bigint | null,
): Promise<readonly PromiseSettledResult<CopiedAhead | null>[]> {
  return (await pool.run({ kind: "ahead", copies, exact })).ahead.map(toSettled);
}

/** Gives files another name where nothing stands, in a thread. @param exact the device whose times are exact */
export async function placeInThread(
  moves: readonly FileMove[],
  exact: bigint | null,
): Promise<readonly PromiseSettledResult<Placed>[]> {
  return (await pool.run({ kind: "place", moves, exact })).placed.map(toSettled);
}

/** Gives files another name where nothing stands, if they are what is said, in a thread. */
export async function keepInThread(
  moves: readonly KeptFile[],
): Promise<readonly PromiseSettledResult<void>[]> {
  return (await pool.run({ kind: "keep", moves })).kept.map(toSettled);
}

function toSettled<T>(answer: Answer<T>): PromiseSettledResult<T> {
  if ("done" in answer) return { status: "fulfilled", value: answer.done };
  const { message, code } = answer.failure;
  return { status: "rejected", reason: Object.assign(new Error(message), { code }) };
}
