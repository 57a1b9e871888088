import fc from "fast-check";

import type { Plan } from "./plan.ts";
import type { Entry, Tree } from "./tree.ts";

/** Few, so that they meet: files where others have folders among them. */
const PATHS = ["a", "a/b", "a/b/c", "a/b/", "d", "d/", "d/e", "f"];

const anyEntry: fc.Arbitrary<Entry> = fc.oneof(
  fc.record({
    kind: fc.constant("file" as const),
    hash: fc.constantFrom("1", "2", "3"),
    executable: fc.boolean(),
  }),
  fc.record({ kind: fc.constant("link" as const), target: fc.constantFrom("x", "y") }),
);

/** As on a disk: nothing stands below a file. */
export const anyTree: fc.Arbitrary<Tree> = fc
  .array(fc.tuple(fc.constantFrom(...PATHS), anyEntry), { maxLength: 5 })
  .map((entries) => {
    const made = new Map<string, Entry>();
    for (const [path, one] of entries)
      if (isFree(made, path)) made.set(path, path.endsWith("/") ? { kind: "folder" } : one);
    return made;
  });

/** Whether a disk can hold it. */
export function isPossible(tree: Tree): boolean {
  return [...tree.keys()].every((path) => isFree(without(tree, path), path));
}

/** The tree that a plan makes of one, step by step; throws where a step does not find what it expects. */
export function carryOut(plan: Plan, tree: Tree): Tree {
  const made = new Map(tree);
  for (const { path, expected } of [...plan.removals, ...plan.puts]) {
    if (made.get(path) !== expected) throw new Error(`${path} is not what the plan expects`);
    made.delete(path);
  }
  for (const { path, entry } of plan.puts) made.set(path, entry);
  return made;
}

export function file(hash: string): Entry {
  return { kind: "file", hash, executable: false };
}

function isFree(tree: Tree, path: string): boolean {
  return [...tree.keys()].every(
    (other) => !other.startsWith(`${path}/`) && !path.startsWith(`${other}/`),
  );
}

function without(tree: Tree, path: string): Tree {
  return new Map([...tree].filter(([other]) => other !== path));
}
