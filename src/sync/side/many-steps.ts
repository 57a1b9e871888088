import { forEachParallel } from "../../base/for-each-parallel.ts";
import type { Entry } from "../core/tree.ts";
import type { Bulk, Disk, Placed } from "../disk/disk.ts";
import { THREADS } from "../disk/file-threads.ts";
import { changedMeanwhile } from "../disk/problems.ts";
import { sliceMany } from "../disk/slice-many.ts";
import type { Known } from "./known.ts";
import type { Contents } from "./side.ts";
import { type Hands, type Step, stagedAt } from "./take-step.ts";

type FindKnown = (path: string, expected: Entry) => Known | null;

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
export function placeMany(disk: Disk, steps: readonly Step[]): Promise<ReadonlyMap<Step, Placed>> {
  const { bulk } = disk;
  const moves = steps
    .filter(isNew)
    .map((step) => ({ step, from: stagedAt(step.aside).path, to: step.path }));
  return inSlices(bulk, moves, async (slice) => bulk?.place(slice) ?? []);
}

/**
 * Has many files change places in threads with what is known to stand there. Resolves with those that did, for each of which
 * what came out is to be looked at: the others are as they were, and to be taken in turn. @param findKnown null: it is not known
 */
export function exchangeMany(
  disk: Disk,
  steps: readonly Step[],
  findKnown: FindKnown,
): Promise<ReadonlyMap<Step, Placed>> {
  const { bulk } = disk;
  const moves = steps.flatMap((step) => {
    const { path, expected, entry, aside } = step;
    if (expected?.kind !== "file" || entry?.kind !== "file") return [];
    const version = findKnown(path, expected)?.version;
    return version === undefined ? [] : [{ step, from: stagedAt(aside).path, to: path, version }];
  });
  return inSlices(bulk, moves, async (slice) => bulk?.exchange(slice) ?? []);
}

/**
 * Takes to the trash what came out of many exchanges, in threads, where it is what was known. Resolves with those of which it
 * did: what came out of the others is to be looked at in turn.
 */
export async function keepMany(
  { disk, trash }: Pick<Hands, "disk" | "trash">,
  steps: readonly Step[],
  findKnown: FindKnown,
): Promise<ReadonlySet<Step>> {
  const kept = new Set<Step>();
  const { bulk } = disk;
  const moves = steps.flatMap((step) => {
    const known = step.expected?.kind === "file" ? findKnown(step.path, step.expected) : null;
    if (known?.entry.kind !== "file") return [];
    const { bytes, entry } = known;
    const [from, to] = [stagedAt(step.aside).path, trash.placeOf(step.path).path];
    return [{ step, file: { from, to, bytes, executable: entry.executable } }];
  });
  await forEachParallel(sliceMany(moves, bulk?.few ?? Infinity), THREADS + 1, async (slice) => {
    const results = (await bulk?.keep(slice.map(({ file }) => file))) ?? [];
    for (const [index, { step }] of slice.entries())
      if (results[index]?.status === "fulfilled") kept.add(step);
  });
  if (kept.size > 0) trash.noteTaken();
  return kept;
}

async function inSlices<Move extends { readonly step: Step }>(
  bulk: Bulk | undefined,
  moves: readonly Move[],
  work: (slice: readonly Move[]) => ReturnType<Bulk["place"]>,
): Promise<ReadonlyMap<Step, Placed>> {
  const done = new Map<Step, Placed>();
  if (bulk === undefined) return done;
  await forEachParallel(sliceMany(moves, bulk.few), THREADS + 1, async (slice) => {
    const placed = await work(slice);
    for (const [index, { step }] of slice.entries()) {
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
