import { createHash } from "node:crypto";
import { mkdirSync, realpathSync } from "node:fs";
import path from "node:path";

import { systemClock } from "../../base/clock.ts";
import { KeyedLock } from "../../base/keyed-lock.ts";
import { Problem } from "../../base/problem.ts";
import type { Disk } from "../disk/disk.ts";
import { identifyTree, openDisk } from "../disk/real-disk.ts";
import { realFolder } from "../disk/real-folder.ts";
import { CopiesAhead } from "../side/copies-ahead.ts";
import { type Hints, TreeSide } from "../side/tree-side.ts";
import { Ancestor, readBootId } from "./ancestor.ts";
import { pruneKept } from "./kept-files.ts";
import { Pair } from "./pair.ts";
import { rulesOf } from "./rules.ts";

export type Sides = {
  /** The workspace: its ignore rules hold for both. What it displaces is kept in its `.ramet`. */
  readonly local: string;
  /** The environment's own tree. */
  readonly remote: string;
  /** A folder of ours on the disk of the environment's tree: for what it displaces, and for what both sides held alike. */
  readonly home: string;
};

type DiskName = "local" | "remote";

/** A tree, and a folder of ours for what it displaces. */
export type StoredTree = { readonly tree: string; readonly store: string };

/** Both trees' hints, while somebody gives any. */
export type PairHints = { readonly local: Hints; readonly remote: Hints };

type Opened = {
  readonly pair: Pair;
  readonly hints: { current: PairHints | null };
  readonly ahead: CopiesAhead;
};

/** Of trees that were compared lately it is known what they held: each takes some megabytes for 10,000 files. */
const MOST_PAIRS = 8;

const REFUSALS = new Set(["sync_conflict", "sync_emptied", "sync_removals"]);

const locks = new KeyedLock();
const pairs = new Map<string, Promise<Opened>>();

/** Where a side keeps what it displaces, and what it has not finished. */
function storesOf(sides: Sides): Readonly<Record<DiskName, string>> {
  return { local: path.join(sides.local, ".ramet"), remote: sides.home };
}

/** Does the work with both sides, while nobody else does with either. @throws `sync_unreadable` */
export async function withPair<T>(
  given: Sides,
  work: (pair: Pair) => Promise<T>,
  hints: PairHints | null = null,
): Promise<T> {
  const sides = realSides(given);
  return alone(sides, () => workWith(sides, work, hints));
}

function alone<T>(sides: Sides, work: () => Promise<T>): Promise<T> {
  return locks.run(sides.home, () => locks.run(sides.local, work));
}

function keyOf(sides: Sides): string {
  return JSON.stringify([sides, identify(sides)]);
}

/** Copies these files of the workspace, as far as they are part of it, while git is changing it: a merge then waits for less. */
export function copyAhead(
  given: Sides,
  names: readonly string[],
  mayGoOn: () => boolean,
): Promise<void> {
  const sides = realSides(given);
  return alone(sides, async () => {
    const opened = await pairs.get(keyOf(sides));
    if (opened === undefined) return;
    const { local } = opened.pair.trees;
    const files = names.filter((name) => local.get(name)?.kind === "file");
    await opened.ahead.copy(files, mayGoOn);
  });
}

/** Does the work while nobody else does with the tree that keeps its things there. */
export function whileAlone<T>(home: string, work: () => Promise<T>): Promise<T> {
  return locks.run(path.join(realpathSync(path.dirname(home)), path.basename(home)), work);
}

/** Does the work with one tree's disk, while nobody transfers anything to or from it. @throws `sync_unreadable` */
export async function withDisk<T>(
  { tree, store }: StoredTree,
  work: (disk: Disk) => Promise<T>,
): Promise<T> {
  const base = path.dirname(store);
  mkdirSync(base, { recursive: true, mode: 0o700 });
  const real = { tree: realFolder(tree), base: realFolder(base) };
  const place = { base: real.base, path: path.basename(store) };
  // As whoever transfers does: a workspace by itself, an environment's tree by where its things are kept.
  const key = real.base === real.tree ? real.tree : path.join(place.base, place.path);
  return locks.run(key, async () => {
    const disk = openDisk({ tree: real.tree, store: place });
    try {
      return await work(disk);
    } finally {
      disk.rest();
    }
  });
}

async function workWith<T>(
  sides: Sides,
  work: (pair: Pair) => Promise<T>,
  hints: PairHints | null,
): Promise<T> {
  const key = keyOf(sides);
  try {
    const opened = await findOpened(key, sides);
    opened.hints.current = hints;
    return await work(opened.pair);
  } catch (error) {
    // What is known of them may be half of it.
    if (!isRefusal(error)) pairs.delete(key);
    throw error;
  }
}

/** Nothing was touched, and what is known is whole. */
function isRefusal(error: unknown): boolean {
  return error instanceof Problem && REFUSALS.has(error.code);
}

function findOpened(key: string, sides: Sides): Promise<Opened> {
  const opened = pairs.get(key) ?? openPair(sides);
  // The one that was used last is last.
  pairs.delete(key);
  pairs.set(key, opened);
  for (const oldest of pairs.keys()) {
    if (pairs.size <= MOST_PAIRS) break;
    pairs.delete(oldest);
  }
  return opened;
}

async function openPair(sides: Sides): Promise<Opened> {
  const hints: Opened["hints"] = { current: null };
  const pairId = createHash("sha256").update(sides.local).digest("hex").slice(0, 16);
  const ahead = new CopiesAhead({
    from: diskOf(sides, "local"),
    to: diskOf(sides, "remote"),
    clock: systemClock,
    pair: pairId,
  });
  const sideOf = (name: DiskName): TreeSide =>
    new TreeSide({
      disk: diskOf(sides, name),
      clock: systemClock,
      hints: {
        take: () => hints.current?.[name].take() ?? null,
        follow: (folder) => hints.current?.[name].follow(folder) ?? false,
        leave: (folder) => hints.current?.[name].leave(folder),
      },
      ...(name === "local" ? { recall: (file) => ahead.recall(file) } : { ahead }),
      pair: pairId,
      store: storesOf(sides)[name],
    });
  const ancestor = new Ancestor({
    disk: diskOf(sides, "remote"),
    folder: `ancestors/${pairId}`,
    epoch: identify(sides),
    clock: systemClock,
    boot: readBootId(),
  });
  const rules = rulesOf(sides.local);
  await pruneTrash(sides);
  const pair = await Pair.open({
    local: sideOf("local"),
    remote: sideOf("remote"),
    ancestor,
    rules,
  });
  return { pair, hints, ahead };
}

/** When a pair is opened, and once a day. */
async function pruneTrash(sides: Sides): Promise<void> {
  for (const name of ["local", "remote"] as const) {
    const disk = diskOf(sides, name);
    await pruneKept(disk, systemClock.now());
    disk.rest();
  }
}

function diskOf(sides: Sides, name: DiskName): Disk {
  const store =
    name === "local"
      ? { base: sides.local, path: ".ramet" }
      : { base: path.dirname(sides.home), path: path.basename(sides.home) };
  return openDisk({ tree: sides[name], store });
}

function identify(sides: Sides): string {
  return [identifyTree(sides.local), identifyTree(sides.remote)].join("|");
}

function realSides({ local, remote, home }: Sides): Sides {
  mkdirSync(path.dirname(home), { recursive: true, mode: 0o700 });
  return {
    local: realFolder(local),
    remote: realFolder(remote),
    home: path.join(realFolder(path.dirname(home)), path.basename(home)),
  };
}
