import { lstat, realpath, rm } from "node:fs/promises";
import path from "node:path";

import { hasErrorCode } from "./problem.ts";

/**
 * Removes a tree that must lie inside `root`. Links in the tree are removed, never followed.
 * @throws Error when the tree is `root` itself or lies outside it: a bug, not a problem.
 */
export async function removeInside(root: string, tree: string): Promise<void> {
  const parent = await findRealParent(tree);
  if (parent === undefined) return;
  const realRoot = await realpath(root);
  const target = path.join(parent, path.basename(tree));
  const relative = path.relative(realRoot, target);
  if (relative === "" || relative.startsWith("..") || path.isAbsolute(relative)) {
    throw new Error(`Refused to remove ${target}: it is not inside ${realRoot}.`);
  }
  await rm(target, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
}

/** Whether something stands at this path; a dangling link counts. */
export async function exists(file: string): Promise<boolean> {
  try {
    await lstat(file);
    return true;
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR")) return false;
    throw error;
  }
}

async function findRealParent(tree: string): Promise<string | undefined> {
  try {
    return await realpath(path.dirname(tree));
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}
