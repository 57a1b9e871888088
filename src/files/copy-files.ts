import { constants } from "node:fs";
import { copyFile, lstat, mkdir, readlink, symlink, utimes } from "node:fs/promises";
import path from "node:path";

import { hasErrorCode } from "../base/problem.ts";
import { moveTarget } from "./copy-tree.ts";
import { forEachParallel } from "./parallel.ts";
import { diskFull } from "./problems.ts";

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
  const folders = new Set(names.map((name) => path.dirname(name)));
  for (const folder of folders) await mkdir(path.join(pair.target, folder), { recursive: true });
  let count = 0;
  try {
    await forEachParallel(names, JOBS, async (name) => {
      if (await copyOne(pair, name)) count += 1;
    });
  } catch (error) {
    if (hasErrorCode(error, "ENOSPC", "EDQUOT")) throw diskFull(pair.target);
    throw error;
  }
  return count;
}

async function copyOne(pair: TreePair, name: string): Promise<boolean> {
  const from = path.join(pair.source, name);
  const to = path.join(pair.target, name);
  try {
    const stats = await lstat(from);
    if (stats.isSymbolicLink()) {
      const target = await readlink(from);
      await symlink(moveTarget(target, pair.sourceNames, pair.target) ?? target, to);
      return true;
    }
    if (!stats.isFile()) return false;
    await copyFile(from, to, constants.COPYFILE_FICLONE);
    await utimes(to, stats.atimeMs / 1000, stats.mtimeMs / 1000);
    return true;
  } catch (error) {
    // Deleted but still tracked, or deleted since it was listed.
    if (hasErrorCode(error, "ENOENT", "ENOTDIR")) return false;
    throw error;
  }
}
