import { constants, type Stats } from "node:fs";
import { copyFile, lstat, mkdir, readlink, symlink, utimes } from "node:fs/promises";
import path from "node:path";

import { explainDiskFull } from "../base/disk-full.ts";
import { forEachParallel } from "../base/for-each-parallel.ts";
import { hasErrorCode } from "../base/problem.ts";
import { moveTarget } from "./move-target.ts";

/** Twice Node's own threads for files. */
const JOBS = 8;

export type TreePair = {
  readonly source: string;
  readonly target: string;
  /** The names under which links inside the source may know it. */
  readonly sourceNames: readonly string[];
};

/**
 * Copies single files of a tree, by reflink where the disk can, and answers how many there were: those that are
 * gone, and those that are neither files nor links, are left out. A list costs the same this way as by `cp --parents`.
 */
export async function copyFiles(pair: TreePair, names: readonly string[]): Promise<number> {
  const made = new Map<string, Promise<unknown>>();
  // Only for what is there: where a folder was, a file may be now, and both are in a list of git's.
  const makeFolder = async (folder: string): Promise<void> => {
    const making = made.get(folder) ?? mkdir(path.join(pair.target, folder), { recursive: true });
    made.set(folder, making);
    await making;
  };
  let count = 0;
  try {
    await forEachParallel(names, JOBS, async (name) => {
      if (await copyOne(pair, name, makeFolder)) count += 1;
    });
  } catch (error) {
    throw explainDiskFull(error, pair.target);
  }
  return count;
}

async function copyOne(
  pair: TreePair,
  name: string,
  makeFolder: (folder: string) => Promise<void>,
): Promise<boolean> {
  const from = path.join(pair.source, name);
  const stats = await unlessGone(() => lstat(from));
  if (stats === undefined || !(stats.isSymbolicLink() || stats.isFile())) return false;
  await makeFolder(path.dirname(name));
  const to = path.join(pair.target, name);
  const copied = await unlessGone(() => copyWhole(pair, { from, to, stats }));
  return copied !== undefined;
}

async function copyWhole(
  { sourceNames, target }: TreePair,
  { from, to, stats }: { readonly from: string; readonly to: string; readonly stats: Stats },
): Promise<true> {
  if (stats.isSymbolicLink()) {
    const aim = await readlink(from);
    await symlink(moveTarget(aim, sourceNames, target) ?? aim, to);
    return true;
  }
  await copyFile(from, to, constants.COPYFILE_FICLONE);
  await utimes(to, stats.atimeMs / 1000, stats.mtimeMs / 1000);
  return true;
}

/** undefined for what is deleted but still tracked, or was deleted since it was listed. */
async function unlessGone<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}
