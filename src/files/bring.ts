import { traced } from "../base/trace.ts";
import { findClonePaths } from "./clone-paths.ts";
import { copyEntry } from "./copy-entry.ts";
import type { TreePair } from "./copy-files.ts";
import { isTracked } from "./git.ts";
import type { CopyOptions } from "./keep.ts";
import { listIgnored } from "./list-tree.ts";
import { findIncluded } from "./worktree-include.ts";

export type Brought = { readonly brought: readonly string[]; readonly left: readonly string[] };

/** Ignored files that a workspace needs; what is there already stays. */
export async function bringIgnored(
  pair: TreePair,
  { source, target, clone, user }: CopyOptions,
): Promise<Brought> {
  const listing = await traced("list of the files", async () => listIgnored(source));
  const named = await withoutTracked(listing, await findClonePaths(source, clone, listing));
  const names = new Set([...named, ...(await findIncluded(source, target, listing))]);
  const brought: string[] = [];
  const left: string[] = [];
  for (const name of names) {
    const outcome = await traced(name, async () => copyEntry(pair, name, user));
    if (outcome === "copied") brought.push(name);
    if (outcome === "left") left.push(name);
  }
  return { brought, left };
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
