import { readdir, readFile } from "node:fs/promises";
import path from "node:path";

import { hasErrorCode } from "../base/problem.ts";
import { exists } from "../base/remove-inside.ts";
import type { GitFolders } from "./git.ts";

/** The roots of a repository's worktrees that are still there, the main one first. */
export async function listWorktreeRoots({ main, common }: GitFolders): Promise<readonly string[]> {
  const pointers = (await listNames(path.join(common, "worktrees"))).map((name) =>
    path.join(common, "worktrees", name, "gitdir"),
  );
  const linked = await Promise.all(pointers.map(async (pointer) => readRoot(pointer)));
  const roots = [...(main === null ? [] : [main]), ...linked.flatMap((root) => root ?? [])];
  const there = await Promise.all(roots.map(async (root) => exists(path.join(root, ".git"))));
  return roots.filter((_, index) => there[index]);
}

/** `gitdir` holds the path of the worktree's own `.git` file. */
async function readRoot(pointer: string): Promise<string | undefined> {
  try {
    return path.dirname(
      path.resolve(path.dirname(pointer), (await readFile(pointer, "utf8")).trim()),
    );
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}

async function listNames(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR")) return [];
    throw error;
  }
}
