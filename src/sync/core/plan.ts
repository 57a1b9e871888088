import { type Entry, isSameEntry, listPaths, type Tree } from "./tree.ts";

/** `expected` is what must stand there when the step is taken; what does is displaced. */
export type RemoveStep = { readonly path: string; readonly expected: Entry };
export type PutStep = {
  readonly path: string;
  readonly entry: Entry;
  readonly expected: Entry | undefined;
};

/** Removals come first: a file may make room for a folder, and a folder for a file. */
export type Plan = { readonly removals: readonly RemoveStep[]; readonly puts: readonly PutStep[] };

/** What is to stand at a path; undefined: nothing. */
export type Wanted = { readonly path: string; readonly entry: Entry | undefined };

/** What makes `to` equal to `from`. */
export function planMirror(from: Tree, to: Tree): Plan {
  const paths = listPaths(from, to);
  return planSteps(
    paths.map((path) => ({ path, entry: from.get(path) })),
    to,
  );
}

/** What puts in order the paths that are named; what is so already needs no step. */
export function planSteps(wanted: readonly Wanted[], to: Tree): Plan {
  const removals: RemoveStep[] = [];
  const puts: PutStep[] = [];
  for (const { path, entry } of wanted) {
    const expected = to.get(path);
    if (isSameEntry(entry, expected)) continue;
    if (entry !== undefined) puts.push({ path, entry, expected });
    else if (expected !== undefined) removals.push({ path, expected });
  }
  return { removals, puts };
}
