import { forEachParallel } from "../base/for-each-parallel.ts";
import type { Disk, Placed } from "./disk.ts";
import { THREADS } from "./file-threads.ts";
import { changedMeanwhile } from "./problems.ts";
import type { Contents } from "./side.ts";
import { sliceMany } from "./slice-many.ts";
import { type Step, stagedAt } from "./take-step.ts";

/**
 * Stages many files in threads, where both sides are of this machine. Resolves with those that were tried, and what came
 * in the way of each; undefined: it is staged, and is what the scan saw on the other side.
 */
export async function stageMany(
  disk: Disk,
  steps: readonly Step[],
  contents: Contents,
): Promise<ReadonlyMap<Step, Error | undefined>> {
  const tried = new Map<Step, Error | undefined>();
  const { bulk } = disk;
  const { lend } = contents;
  if (bulk === undefined || lend === undefined) return tried;
  await forEachParallel(sliceMany(steps, bulk.few), THREADS + 1, async (slice) => {
    const paths = slice.map(({ path }) => path);
    const hashes = await lend(paths, async (files) =>
      bulk.copy(slice.map((step, index) => toCopy(step, files[index] ?? ""))),
    );
    for (const [index, step] of slice.entries()) tried.set(step, findFailure(step, hashes[index]));
  });
  return tried;
}

/**
 * Puts many new files in their places in threads, once it is written down that it is begun. Resolves with those that are
 * there: the others are as they were, and to be taken in turn.
 */
export async function placeMany(
  disk: Disk,
  steps: readonly Step[],
): Promise<ReadonlyMap<Step, Placed>> {
  const done = new Map<Step, Placed>();
  const { bulk } = disk;
  if (bulk === undefined) return done;
  await forEachParallel(sliceMany(steps.filter(isNew), bulk.few), THREADS + 1, async (slice) => {
    const moves = slice.map(({ aside, path }) => ({ from: stagedAt(aside).path, to: path }));
    const placed = await bulk.place(moves);
    for (const [index, step] of slice.entries()) {
      const one = placed[index];
      if (one?.status === "fulfilled") done.set(step, one.value);
    }
  });
  return done;
}

function isNew({ expected, entry }: Step): boolean {
  return expected === undefined && entry?.kind === "file";
}

function toCopy(
  { aside, entry }: Step,
  from: string,
): { readonly from: string; readonly to: string; readonly executable: boolean } {
  return { from, to: stagedAt(aside).path, executable: entry?.kind === "file" && entry.executable };
}

function findFailure(
  { path, entry }: Step,
  hashed: PromiseSettledResult<string> | undefined,
): Error | undefined {
  if (hashed?.status === "rejected") return toError(hashed.reason);
  const isSame = entry?.kind === "file" && entry.hash === hashed?.value;
  return isSame ? undefined : changedMeanwhile(path);
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
