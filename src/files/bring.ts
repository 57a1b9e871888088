import { traced } from "../base/trace.ts";
import { findClonePaths } from "./clone-paths.ts";
import type { EntryOutcome } from "./copy-entry.ts";
import { copyEntry } from "./copy-entry.ts";
import type { TreePair } from "./copy-files.ts";
import { isTracked } from "./git.ts";
import type { CopyOptions } from "./keep.ts";
import { listIgnored } from "./list-tree.ts";
import { sortOut } from "./outcomes.ts";
import type { Brought } from "./outcomes.ts";
import { findIncluded } from "./worktree-include.ts";

/** Ignored files that a workspace needs; what is there already stays. */
export async function bringIgnored(
  pair: TreePair,
  { source, target, clone, user, ready }: CopyOptions,
): Promise<Brought> {
  const listing = await traced("list of the files", async () => listIgnored(source));
  const named = await withoutTracked(listing, await findClonePaths(source, clone, listing));
  const names = new Set([...named, ...(await findIncluded(source, target, listing))]);
  const outcomes = new Map<string, EntryOutcome>();
  for (const name of names)
    outcomes.set(name, await traced(name, async () => copyEntry(pair, name, { user, ready })));
  return sortOut(outcomes);
}

/** What git tracks is the workspace's own affair: it has it, or its branch deleted it. */
async function withoutTracked(
  { tree, ignored }: Awaited<ReturnType<typeof listIgnored>>,
  names: readonly string[],
): Promise<readonly string[]> {
  if (tree === undefined) return names;
  const untracked = new Set(ignored.map((name) => name.replace(/\/$/, "")));
  const tracked = await Promise.all(
    names.map(async (name) => !untracked.has(name) && isTracked(tree, name)),
  );
  return names.filter((_, index) => tracked[index] !== true);
}
