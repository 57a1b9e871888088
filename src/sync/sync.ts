/** Makes two trees the same, so that no byte of either is lost. */
import { mkdir, realpath } from "node:fs/promises";
import path from "node:path";

import { KeyedLock } from "../base/keyed-lock.ts";
import { exists } from "../base/remove-inside.ts";
import { readAncestor, writeAncestor } from "./ancestor-file.ts";
import { applyPlan } from "./apply.ts";
import { compareTrees, type Comparison } from "./core/compare.ts";
import { planMirror } from "./core/plan.ts";
import type { Tree } from "./core/tree.ts";
import { chooseDisplaced } from "./displace.ts";
import { type Direction, syncConflict, syncEmptied } from "./problems.ts";
import { scanSides } from "./scan.ts";

export type Sides = {
  /** The workspace: its ignore rules hold for both. */
  readonly local: string;
  /** The environment's own tree. */
  readonly remote: string;
  /** The file of the last state that both had in common. */
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
export async function compareSides(sides: Sides): Promise<Comparison> {
  const { comparison } = await readSides(sides);
  return comparison;
}

/** Makes the environment's tree equal to the workspace. @throws `sync_conflict`, `sync_emptied`, `sync_blocked`, `disk_full` */
export function push(sides: Sides, options: TransferOptions): Promise<Transferred> {
  return locks.run(path.resolve(sides.ancestor), () => transfer(sides, options, "push"));
}

/** Makes the workspace equal to the environment's tree. @throws as `push` does */
export function pull(sides: Sides, options: TransferOptions): Promise<Transferred> {
  return locks.run(path.resolve(sides.ancestor), () => transfer(sides, options, "pull"));
}

async function readSides(
  sides: Sides,
): Promise<{ comparison: Comparison; local: Tree; remote: Tree }> {
  const { local, remote } = await scanSides(sides.local, sides.remote);
  return {
    comparison: compareTrees(await readAncestor(sides.ancestor), local, remote),
    local,
    remote,
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
  await writeAncestor(sides.ancestor, from);
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
