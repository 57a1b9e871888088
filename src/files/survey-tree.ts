import path from "node:path";

import { pinFolder } from "../base/pinned.ts";
import type { Pinned } from "../base/pinned.ts";
import { giveAll } from "./give-all.ts";
import type { Owner } from "./give-all.ts";
import { pinInside } from "./pin-inside.ts";
import { removeEntry } from "./renew-tree.ts";
import { listEntries, readTreeList, writeTreeList } from "./tree-list.ts";

/** The folder `name` of the tree `root`, which is to be copied, and where to write what is in it before. */
export type SurveyJob = {
  readonly root: string;
  readonly name: string;
  readonly list: string;
  /** By the clock that dates files. */
  readonly nowMs: number;
};

/** How many files and folders, and what they hold: nothing where there is no folder. */
export type Survey = { readonly entries: number; readonly bytes: number };

/** A change within the same tick of the kernel's clock bears the same date. */
const FRESH_MS = 2_000;

/** Writes down what is in the folder: for a thread that has nothing else to do. */
export function surveyTree({ root, name, list: file, nowMs }: SurveyJob): Survey {
  const nothing = { entries: 0, bytes: 0 };
  return withFolder(pinInside(root, name), nothing, (folder) => {
    const list = listEntries(folder, path.basename(name), nowMs - FRESH_MS);
    writeTreeList(file, list);
    return { entries: list.names.length, bytes: list.bytes };
  });
}

/** A copy that was made of what is in a list. */
export type SettleJob = {
  readonly copy: string;
  readonly list: string;
  /** Whose all of it becomes; null: we cannot give anything away. */
  readonly owner: Owner | null;
};

/** Removes from a copy what came into its original after that was surveyed, and gives away the rest. */
export function settleTree({ copy, list, owner }: SettleJob): void {
  const { names } = readTreeList(list);
  const known = new Set(names);
  const there = withFolder(pinFolder(copy), [], (folder) => listEntries(folder, "", 0).names);
  for (const name of there.toReversed()) if (!known.has(name)) removeEntry(path.join(copy, name));
  if (owner !== null) giveAll(names, copy, owner);
}

function withFolder<T>(folder: Pinned | undefined, missing: T, work: (folder: Pinned) => T): T {
  if (folder === undefined) return missing;
  try {
    return work(folder);
  } finally {
    folder.close();
  }
}
