import { type Entry, isSameEntry, listParents, listPaths, type Tree } from "./tree.ts";

/** Paths by the side that changed them since the common ancestor, each list sorted. */
export type Comparison = {
  readonly local: readonly string[];
  readonly remote: readonly string[];
  /** Changed on both sides, differently; or a file on one side where the other made a folder. */
  readonly conflicts: readonly string[];
};

type Side = "local" | "remote" | "conflicts";

/** A path that is the same on both sides is in no list, whatever the ancestor held. */
export function compareTrees(ancestor: Tree, local: Tree, remote: Tree): Comparison {
  const changed = new Map<string, Side>();
  for (const path of listPaths(ancestor, local, remote)) {
    const [before, here, there] = [ancestor.get(path), local.get(path), remote.get(path)];
    if (isSameEntry(here, there)) continue;
    if (isSameEntry(there, before)) changed.set(path, "local");
    else changed.set(path, isSameEntry(here, before) ? "remote" : "conflicts");
  }
  // What stays as a conflict may be in the way of what one side alone changed.
  for (let isOver = false; !isOver;) {
    const clashes = findClashes(changed, local, remote);
    for (const path of clashes) changed.set(path, "conflicts");
    isOver = clashes.length === 0;
  }
  const of = (side: Side): readonly string[] =>
    [...changed].filter(([, one]) => one === side).map(([path]) => path);
  return { local: of("local"), remote: of("remote"), conflicts: of("conflicts") };
}

/** The ancestor with what both sides hold alike now: from here on, who changes it alone is known. */
export function learnCommon(ancestor: Tree, local: Tree, remote: Tree): Tree {
  const common = new Map<string, Entry>();
  for (const path of listPaths(ancestor, local, remote)) {
    const [here, there] = [local.get(path), remote.get(path)];
    const entry = isSameEntry(here, there) ? here : ancestor.get(path);
    if (entry !== undefined) common.set(path, entry);
  }
  return common;
}

/** Whether both hold the same. */
export function isSameTree(a: Tree, b: Tree): boolean {
  return a.size === b.size && [...a].every(([path, entry]) => isSameEntry(entry, b.get(path)));
}

/** What one side put where the other, in a change of its own, put a folder: both paths. */
function findClashes(
  changed: ReadonlyMap<string, Side>,
  local: Tree,
  remote: Tree,
): readonly string[] {
  return [...changed].flatMap(([path, side]) => {
    const clashing = listParents(path).filter((parent) => {
      const isAcross =
        (local.has(path) && remote.has(parent)) || (remote.has(path) && local.has(parent));
      return isAcross && changed.has(parent) && changed.get(parent) !== side;
    });
    return clashing.length === 0 ? [] : [path, ...clashing];
  });
}
