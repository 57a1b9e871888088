import { mkdir } from "node:fs/promises";

import { traced } from "../base/trace.ts";
import type { ProcessUser } from "../process/process.ts";
import { findClonePaths, isBelow } from "./clone-paths.ts";
import { copyEntry, giveTo } from "./copy-entry.ts";
import type { EntryOutcome, PlaceReady } from "./copy-entry.ts";
import { copyFiles } from "./copy-files.ts";
import { listTree } from "./list-tree.ts";
import { isLitter } from "./litter.ts";
import { openPair } from "./open-pair.ts";
import { sortOut } from "./outcomes.ts";
import type { Brought } from "./outcomes.ts";

export type CopyOptions = {
  readonly source: string;
  readonly target: string;
  /** The manifest's `files.clone`. */
  readonly clone: readonly string[];
  /** Whose the copies become, where we are root. */
  readonly user: ProcessUser | null;
  readonly ready?: PlaceReady | undefined;
};

export type Kept = Brought & { readonly files: number };

/** A tree of its own: what git lists and what `clone` names. */
export async function keepTree({ source, target, clone, user, ready }: CopyOptions): Promise<Kept> {
  const pair = await openPair(source, target);
  await mkdir(target, { recursive: true });
  const listing = await traced("list of the files", async () => listTree(source));
  const paths = await findClonePaths(source, clone, listing);
  const cloned = new Set(paths);
  const names = listing.files.filter(
    (name) => !cloned.has(name) && !isBelow(name, cloned) && !isLitter(name),
  );
  const files = await traced("files of the tree", async () => copyFiles(pair, names));
  if (user !== null) await traced("owner of the files", async () => giveTo(target, user));
  const outcomes = new Map<string, EntryOutcome>();
  for (const name of paths)
    outcomes.set(name, await traced(name, async () => copyEntry(pair, name, { user, ready })));
  return { files, ...sortOut(outcomes) };
}
