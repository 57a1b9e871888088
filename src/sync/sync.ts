/** Makes two trees the same, so that no byte of either is lost. */
import { mkdir, realpath } from "node:fs/promises";
import path from "node:path";

import { KeyedLock } from "../base/keyed-lock.ts";
import { exists } from "../base/remove-inside.ts";
import { nameAncestor, readAncestor, writeAncestor } from "./ancestor-file.ts";
import { applyPlan } from "./apply.ts";
import { compareTrees, type Comparison, isSameTree, learnCommon } from "./core/compare.ts";
import { planMirror } from "./core/plan.ts";
import type { Tree } from "./core/tree.ts";
import { formatMerge } from "./describe-merge.ts";
import { chooseDisplaced } from "./displace.ts";
import { type KeepOptions, keepSame } from "./keep-same.ts";
import { type Merged, type MergeOptions, mergeSides } from "./merge.ts";
import { type Direction, syncConflict, syncEmptied } from "./problems.ts";
import { scanSides } from "./scan.ts";

export type Sides = {
  /** The workspace: its ignore rules hold for both. */
  readonly local: string;
  /** The environment's own tree. */
  readonly remote: string;
  /** Where the last state that both had in common is kept: in a file of this name for each workspace. */
  readonly ancestor: string;
};

export type TransferOptions = {
  /** Overwrite what the receiving side changed. */
  readonly force: boolean;
  /** A folder for what is overwritten or removed; where there is one already, one beside it is made. */
  readonly displaced: string;
};

export type Transferred = {
  /** Paths that were written or removed on the receiving side, sorted. */
  readonly changed: readonly string[];
  /** The folder where what stood there is kept, under the same paths; null when nothing was displaced. */
  readonly displaced: string | null;
};

const locks = new KeyedLock();

/** Which side changed what since both were the same. */
export function compareSides(sides: Sides): Promise<Comparison> {
  return locks.run(path.resolve(sides.ancestor), async () => (await readSides(sides)).comparison);
}

/** Makes the environment's tree equal to the workspace. @throws `sync_conflict`, `sync_emptied`, `sync_blocked`, `disk_full` */
export function push(sides: Sides, options: TransferOptions): Promise<Transferred> {
  return locks.run(path.resolve(sides.ancestor), () => transfer(sides, options, "push"));
}

/** Makes the workspace equal to the environment's tree. @throws as `push` does */
export function pull(sides: Sides, options: TransferOptions): Promise<Transferred> {
  return locks.run(path.resolve(sides.ancestor), () => transfer(sides, options, "pull"));
}

/**
 * Brings each side what the other changed since both were the same. undefined: they were not at rest.
 * @throws `sync_emptied`, `sync_removals`, `disk_full`
 */
function merge(sides: Sides, options: MergeOptions): Promise<Merged | undefined> {
  return locks.run(path.resolve(sides.ancestor), async () => {
    const [read, folders] = await Promise.all([readSides(sides), realSides(sides)]);
    if (!(await options.isAtRest())) return undefined;
    const { merged, ancestor } = await mergeSides({ ...read, folders }, options);
    if (!isSameTree(ancestor, read.ancestor)) await writeAncestor(read.ancestorFile, ancestor);
    return merged;
  });
}

/**
 * Keeps both sides the same until the signal ends it; tells each merge that moved something, or left something anew.
 * @throws as `merge` does
 */
export function keepMerged(sides: Sides, options: KeepOptions): AsyncGenerator<Merged> {
  return keepSame(sides, async (merging) => merge(sides, merging), options);
}

/** What a merge did and what it left, a line each, for people. */
export function describeMerge(merged: Merged): readonly string[] {
  return formatMerge(merged);
}

type SidesRead = {
  readonly comparison: Comparison;
  readonly local: Tree;
  readonly remote: Tree;
  /** What both held alike, as it is on the disk by now. */
  readonly ancestor: Tree;
  readonly ancestorFile: string;
};

/** What both sides hold alike is noted at once: an edit made after this is known to be one side's alone. */
async function readSides(sides: Sides): Promise<SidesRead> {
  const { local, remote } = await scanSides(sides.local, sides.remote);
  const ancestorFile = await nameAncestor(sides.ancestor, sides.local);
  const ancestor = await readAncestor(ancestorFile);
  const common = learnCommon(ancestor, local, remote);
  if (!isSameTree(common, ancestor)) await writeAncestor(ancestorFile, common);
  return {
    comparison: compareTrees(ancestor, local, remote),
    local,
    remote,
    ancestor: common,
    ancestorFile,
  };
}

async function transfer(
  sides: Sides,
  options: TransferOptions,
  direction: Direction,
): Promise<Transferred> {
  const read = await readSides(sides);
  const [from, to] = direction === "push" ? [read.local, read.remote] : [read.remote, read.local];
  const { local, remote } = await realSides(sides);
  const [source, target] = direction === "push" ? [local, remote] : [remote, local];
  if (!options.force) {
    assertNothingLost(read.comparison, direction);
    if (from.size === 0 && to.size > 0) throw syncEmptied(source, to.size);
  }
  const plan = planMirror(from, to);
  const displaced = await chooseDisplaced(options.displaced);
  await mkdir(path.dirname(displaced), { recursive: true, mode: 0o700 });
  await applyPlan(plan, { source, target, displaced });
  await writeAncestor(read.ancestorFile, from);
  return {
    changed: [...plan.removals, ...plan.puts].map((step) => step.path).toSorted(),
    displaced: (await exists(displaced)) ? displaced : null,
  };
}

async function realSides({ local, remote }: Sides): Promise<{ local: string; remote: string }> {
  return { local: await realpath(local), remote: await realpath(remote) };
}

function assertNothingLost(comparison: Comparison, direction: Direction): void {
  const changes = direction === "push" ? comparison.remote : comparison.local;
  const paths = [...comparison.conflicts, ...changes];
  if (paths.length > 0) throw syncConflict(direction, paths);
}
