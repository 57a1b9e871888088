import path from "node:path";

import type { Problem } from "../base/problem.ts";
import { exists } from "../base/remove-inside.ts";
import { applyPaths } from "./apply.ts";
import { learnCommon } from "./core/compare.ts";
import { findHalt } from "./core/halt.ts";
import type { Plan } from "./core/plan.ts";
import { type Preference, reconcile } from "./core/reconcile.ts";
import type { Tree } from "./core/tree.ts";
import { chooseDisplaced } from "./displace.ts";
import { syncEmptied, syncRemovals } from "./problems.ts";

export type MergeOptions = {
  readonly prefer: Preference;
  /** A folder for what is overwritten or removed; where there is one already, one beside it is made. */
  readonly displaced: string;
  /** Whether something is known to have removed many files at once, such as a switch of branches. */
  readonly mayRemoveMany: boolean;
  /** Asked once both sides have been read: whether they were at rest meanwhile. If not, nothing is done. */
  readonly isAtRest: () => Promise<boolean>;
};

export type Merged = {
  /** Paths that were written or removed in the workspace, and those in the environment. */
  readonly toLocal: readonly string[];
  readonly toRemote: readonly string[];
  readonly conflicts: readonly string[];
  /** Removed on one side, changed on the other, and therefore back on both. */
  readonly revived: readonly string[];
  /** What could not be brought in order now, by path. */
  readonly left: ReadonlyMap<string, Problem>;
  /** The folder where what stood there is kept, in one of it for each side; null when nothing was displaced. */
  readonly displaced: string | null;
};

/** Both sides as they were read, and what they held alike before. */
export type Read = {
  readonly folders: { readonly local: string; readonly remote: string };
  readonly ancestor: Tree;
  readonly local: Tree;
  readonly remote: Tree;
};

/**
 * Brings each side what the other changed. Resolves with what was done, and with what both hold alike now.
 * @throws `sync_emptied`, `sync_removals` before anything is touched; `disk_full`
 */
export async function mergeSides(
  read: Read,
  options: MergeOptions,
): Promise<{ readonly merged: Merged; readonly ancestor: Tree }> {
  const { toLocal, toRemote, conflicts, revived } = reconcile(read, options.prefer);
  assertAsked(toLocal, toRemote, { read, options });
  const displaced = await chooseDisplaced(options.displaced);
  const { local, remote } = read.folders;
  const leftLocal = await applyPaths(toLocal, {
    source: remote,
    target: local,
    displaced: path.join(displaced, "workspace"),
  });
  const leftRemote = await applyPaths(toRemote, {
    source: local,
    target: remote,
    displaced: path.join(displaced, "environment"),
  });
  const merged = {
    toLocal: pathsOf(toLocal, leftLocal),
    toRemote: pathsOf(toRemote, leftRemote),
    conflicts,
    revived,
    left: new Map([...leftLocal, ...leftRemote]),
    displaced: (await exists(displaced)) ? displaced : null,
  };
  const [here, there] = [after(read.local, toLocal, merged), after(read.remote, toRemote, merged)];
  return { merged, ancestor: learnCommon(read.ancestor, here, there) };
}

function assertAsked(
  toLocal: Plan,
  toRemote: Plan,
  { read, options }: { readonly read: Read; readonly options: MergeOptions },
): void {
  const { folders, local, remote } = read;
  const sides = [
    { side: "workspace", plan: toLocal, from: remote, to: local, source: folders.remote },
    { side: "environment", plan: toRemote, from: local, to: remote, source: folders.local },
  ] as const;
  for (const { side, plan, from, to, source } of sides) {
    const halt = findHalt(plan, { from, to });
    if (halt?.kind === "emptied") throw syncEmptied(source, halt.count);
    if (halt?.kind === "removals" && !options.mayRemoveMany) throw syncRemovals(side, halt);
  }
}

function pathsOf({ removals, puts }: Plan, left: ReadonlyMap<string, Problem>): readonly string[] {
  const paths = [...removals, ...puts].map((step) => step.path);
  return paths.filter((one) => !left.has(one)).toSorted();
}

/** A tree as the steps that were taken have left it. */
function after(tree: Tree, { removals, puts }: Plan, { left }: Pick<Merged, "left">): Tree {
  const made = new Map(tree);
  for (const { path: name } of removals) if (!left.has(name)) made.delete(name);
  for (const { path: name, entry } of puts) if (!left.has(name)) made.set(name, entry);
  return made;
}
