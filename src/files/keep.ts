import { mkdir } from "node:fs/promises";

import { traced } from "../base/trace.ts";
import type { ProcessUser } from "../process/process.ts";
import { findClonePaths, isBelow } from "./clone-paths.ts";
import { copyEntry, giveTo, openPair } from "./copy-entry.ts";
import { copyFiles } from "./copy-files.ts";
import { isLitter } from "./copy-tree.ts";
import { listTree } from "./list-tree.ts";

export type CopyOptions = {
  readonly source: string;
  readonly target: string;
  /** The manifest's `files.clone`. */
  readonly clone: readonly string[];
  /** Whose the copies become, where we are root. */
  readonly user: ProcessUser | null;
};

export type Kept = {
  readonly files: number;
  readonly cloned: readonly string[];
  readonly left: readonly string[];
};

/** A tree of its own: what git lists and what `clone` names. */
export async function keepTree({ source, target, clone, user }: CopyOptions): Promise<Kept> {
  const pair = await openPair(source, target);
  await mkdir(target, { recursive: true });
  const listing = await traced("list of the files", async () => listTree(source));
  const paths = await findClonePaths(source, clone, listing);
  const cloned = new Set(paths);
  const names = listing.files.filter(
    (name) => !cloned.has(name) && !isBelow(name, cloned) && !isLitter(name),
  );
  const files = await traced("files of the tree", async () => copyFiles(pair, names));
  const left: string[] = [];
  for (const name of paths) {
    const outcome = await traced(name, async () => copyEntry(pair, name, null));
    if (outcome === "left") left.push(name);
  }
  if (user !== null) await traced("owner of the files", async () => giveTo(target, user));
  return { files, cloned: paths.filter((name) => !left.includes(name)), left };
}
