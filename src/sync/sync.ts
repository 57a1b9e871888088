/**
 * Makes two trees the same, so that no byte of either is lost. Its folders, each built on those before it: `core/`, what is to
 * be done, pure; `disk/`, what may be done with files, and how, here and in threads; `side/`, one tree: looked at, and
 * changed step by step; `pair/`, two of them, what they had in common, and what keeps them the same; and `far/`, that one of
 * them is on another machine.
 */
import { explainDiskFull } from "../base/disk-full.ts";
import { ownProgram } from "../base/own-program.ts";
import type { Problem } from "../base/problem.ts";
import type { Comparison } from "./core/compare.ts";
import { findHalt } from "./core/halt.ts";
import { type Plan, planMirror } from "./core/plan.ts";
import {
  type Direction,
  syncConflict,
  syncEmptied,
  syncRemovals,
  syncReplaced,
  syncUnheard,
  syncUnsettled,
} from "./disk/problems.ts";
import * as far from "./far/far-pair.ts";
import { FarWatch } from "./far/far-watch.ts";
import * as served from "./far/served-tree.ts";
import type * as questions from "./far/tree-questions.ts";
import type * as wires from "./far/wire.ts";
import { formatMerge } from "./pair/describe-merge.ts";
import { type KeepOptions, keepSame, type Kept, type Merge } from "./pair/keep-same.ts";
import * as trash from "./pair/keep-trash.ts";
import { mergePair, type Merged } from "./pair/merge.ts";
import type { Pair } from "./pair/pair.ts";
import { copyAhead, type Sides as BothSides, withPair } from "./pair/pairs.ts";
import { claimKeeping } from "./pair/workspace-lock.ts";
import { TreeWatch } from "./side/tree-watch.ts";

export type Sides = BothSides;
/** A workspace, and the tree of an environment on another machine. */
export type FarSides = far.FarSides;
export type TrashSides = trash.TrashSides;
export type Wire = wires.Wire;
export type ServedTree = served.ServedTree;
export type TreeQuestion = questions.TreeQuestion;
export type TreeMessage = questions.TreeMessage;

/** How to run whoever serves trees to a server, by its own input and output. */
export const TENDER_PROGRAM: readonly string[] = ownProgram(
  import.meta.filename,
  "far/tender-program",
);

const ENDS = {
  push: { source: "local", target: "remote", giving: "workspace", taking: "environment" },
  pull: { source: "remote", target: "local", giving: "environment", taking: "workspace" },
} as const;

export type TransferOptions = {
  /** Overwrite what the receiving side changed. */
  readonly force: boolean;
};

export type Transferred = {
  /** Paths that were written or removed on the receiving side, sorted. */
  readonly changed: readonly string[];
  /** The folder where what stood there is kept, under the same paths; null when nothing was displaced. */
  readonly displaced: string | null;
  /** Why some paths are as they were. */
  readonly left: readonly Problem[];
};

export type Compared = Comparison & {
  /** Of the paths that differ, those that are not there: removed on that side, or new on the other. */
  readonly absent: { readonly local: readonly string[]; readonly remote: readonly string[] };
  /** Could not be read on one side: nothing is known of them. */
  readonly unread: readonly string[];
};

/** Which side changed what since both were the same. @throws `sync_unreadable`, `sync_unsettled` */
export function compareSides(sides: Sides): Promise<Compared> {
  return withPair(sides, comparePair);
}

/** Makes the environment's tree equal to the workspace. @throws `sync_conflict`, `sync_emptied`, `sync_removals`, `disk_full` */
export function push(sides: Sides, options: TransferOptions): Promise<Transferred> {
  return transfer(sides, options, "push");
}

/** Makes the workspace equal to the environment's tree. @throws as `push` does */
export function pull(sides: Sides, options: TransferOptions): Promise<Transferred> {
  return transfer(sides, options, "pull");
}

/**
 * Keeps both sides the same until the signal ends it: tells each merge that moved something, or left something anew.
 * On a full disk it says so, and goes on when there is room.
 * @throws `sync_emptied`, `sync_removals`, `sync_replaced`, `sync_gone`, with both sides as they were
 */
export function keepMerged(sides: Sides, options: KeepOptions): AsyncGenerator<Merged> {
  const assertSame = assertingSame();
  const watchRemote = (onEvent: () => void): TreeWatch => new TreeWatch(sides.remote, onEvent);
  const merge: Merge<TreeWatch> = async (merging, hints) =>
    explained(sides.remote, () =>
      withPair(
        sides,
        async (pair) => {
          assertSame(pair);
          return mergePair(pair, merging);
        },
        hints,
      ),
    );
  const kept: Kept<TreeWatch> = {
    local: sides.local,
    watchRemote,
    copyAhead: async (names, isStill) => copyAhead(sides, names, isStill),
  };
  return keepSame(kept, merge, options);
}

/** `compareSides` with a tree on another machine. @throws what its wire does, too */
export function compareFar(sides: FarSides): Promise<Compared> {
  return withFar(sides, comparePair);
}

/** `push` and `pull` with a tree on another machine. @throws what its wire does, too */
export function transferFar(
  sides: FarSides,
  options: TransferOptions,
  direction: Direction,
): Promise<Transferred> {
  return explained(sides.local, () =>
    withFar(sides, async (pair) => mirror(pair, options, direction)),
  );
}

export type KeepFarOptions = KeepOptions & {
  /** Told once where what happens in the environment's files is not heard of when it does: everything else goes on. */
  readonly onUnheard?: (problem: Problem) => void;
};

/** `keepMerged` with a tree on another machine. @throws what its wire does, too: then it can be begun anew */
export async function* keepFarMerged(
  sides: FarSides,
  options: KeepFarOptions,
): AsyncGenerator<Merged> {
  const pair = new far.FarPair(sides);
  const assertSame = assertingSame();
  const watchRemote = (onEvent: () => void): FarWatch =>
    new FarWatch(async (seen, signal) => pair.wait(seen, signal), {
      onEvent,
      onUnheard: (error) => options.onUnheard?.(syncUnheard(error)),
    });
  try {
    // What is waited for is open then.
    await pair.with(async () => undefined);
    yield* keepSame(
      { local: pair.local, watchRemote },
      async (merging, { local }) =>
        explained(pair.local, () =>
          pair.with(async (both) => {
            assertSame(both);
            return mergePair(both, merging);
          }, local),
        ),
      options,
    );
  } finally {
    await pair.close();
  }
}

/** Until it is released nobody else keeps a workspace's files the same as an environment's. @throws `dev_running` */
export function claimWorkspace(workspace: string): { release(): void } {
  return claimKeeping(workspace);
}

/** A tree of this machine, for whoever holds the other end of the wire. @throws `sync_unreadable` */
export function openServedTree(sides: Pick<Sides, "remote" | "home">, pair: string): ServedTree {
  return served.takeTurns(sides.home, served.openServed(sides, pair));
}

/** One that another program of this machine serves, which does not see who else transfers. */
export function takeTurns(home: string, tree: ServedTree): ServedTree {
  return served.takeTurns(home, tree);
}

/** What a merge did and what it left, a line each, for people. */
export function describeMerge(merged: Merged): readonly string[] {
  return formatMerge(merged);
}

/** What the sides have displaced, the latest first: kept for a week, and at most a gigabyte of it on each side. */
export function listTrash(sides: TrashSides): Promise<readonly trash.Trashed[]> {
  return trash.listTrash(sides);
}

/** Puts back what was displaced at one time: all of it, or these paths. @throws `trash_unknown`, `disk_full` */
export function restoreTrash(
  sides: TrashSides,
  wanted: { readonly id: string; readonly paths: readonly string[] },
): Promise<trash.Restored> {
  return trash.restoreTrash(sides, wanted);
}

/** That both folders are those of the first time. */
function assertingSame(): (pair: Pair) => void {
  let epoch: string | undefined;
  return (pair) => {
    epoch ??= pair.epoch;
    if (pair.epoch !== epoch) throw syncReplaced();
  };
}

async function transfer(
  sides: Sides,
  options: TransferOptions,
  direction: Direction,
): Promise<Transferred> {
  const target = direction === "push" ? sides.remote : sides.local;
  return explained(target, () => withPair(sides, async (pair) => mirror(pair, options, direction)));
}

async function mirror(
  pair: Pair,
  options: TransferOptions,
  direction: Direction,
): Promise<Transferred> {
  await lookAtAll(pair);
  const { source, target } = ENDS[direction];
  const trees = pair.differing();
  const plan = planMirror(trees[source], trees[target]);
  if (!options.force) assertNothingLost(pair, direction, plan);
  const { done, left, displaced } = await pair.apply(plan, target);
  await pair.commit();
  const problems = [...pair.unknown().values(), ...left.values()];
  return { changed: [...done.keys()].toSorted(), displaced, left: problems };
}

async function comparePair(pair: Pair): Promise<Compared> {
  await lookAtAll(pair);
  const compared = pair.compare();
  const paths = [...compared.local, ...compared.remote, ...compared.conflicts].toSorted();
  const { local, remote } = pair.trees;
  return {
    ...compared,
    absent: {
      local: paths.filter((path) => !local.has(path)),
      remote: paths.filter((path) => !remote.has(path)),
    },
    unread: [...pair.unknown().keys()].toSorted(),
  };
}

async function lookAtAll(pair: Pair): Promise<void> {
  if (!(await pair.look("all"))) throw syncUnsettled();
}

function assertNothingLost(pair: Pair, direction: Direction, plan: Plan): void {
  const { source, target, giving, taking } = ENDS[direction];
  const compared = pair.compare();
  const paths = [...compared.conflicts, ...compared[target]];
  if (paths.length > 0) throw syncConflict(direction, paths);
  const [from, to] = [pair.trees[source], pair.trees[target]];
  if (from.size === 0 && to.size > 0) throw syncEmptied(giving, to.size);
  const halt = findHalt(plan, { from, to });
  if (halt?.kind === "removals") throw syncRemovals(taking, halt);
}

async function withFar<T>(sides: FarSides, work: (pair: Pair) => Promise<T>): Promise<T> {
  const pair = new far.FarPair(sides);
  try {
    return await pair.with(work);
  } finally {
    await pair.close();
  }
}

async function explained<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw explainDiskFull(error, folder);
  }
}
