import { readFile, stat } from "node:fs/promises";
import path from "node:path";

import { waitFor } from "../base/clock.ts";
import { hasErrorCode } from "../base/problem.ts";

/** A lock that is older was left by a git that was killed. */
const LOCK_LIMIT_MS = 30_000;
const LOCK_STEP_MS = 5;

/** Waits while git is changing the tree; a half-done switch of branches is no state of it. */
export async function untilGitIsDone(tree: string, signal: AbortSignal): Promise<void> {
  const folder = await findGitFolder(tree);
  if (folder === undefined) return;
  const lock = path.join(folder, "index.lock");
  const isFree = async (): Promise<true | undefined> =>
    (await stampOf(lock)) === "" ? true : undefined;
  await waitFor(isFree, { timeoutMs: LOCK_LIMIT_MS, everyMs: LOCK_STEP_MS, signal });
}

/** Changes when git changes the tree, from the moment at which it begins to. */
export async function stampGit(tree: string): Promise<string> {
  const folder = await findGitFolder(tree);
  if (folder === undefined) return "";
  const files = ["index.lock", "HEAD", "index"].map((name) => path.join(folder, name));
  return (await Promise.all(files.map(stampOf))).join();
}

/** In a worktree or a submodule `.git` is a file that names the folder. */
async function findGitFolder(tree: string): Promise<string | undefined> {
  const entry = path.join(tree, ".git");
  try {
    if ((await stat(entry)).isDirectory()) return entry;
    const named = /^gitdir: (.+)$/m.exec(await readFile(entry, "utf8"))?.[1];
    return named === undefined ? undefined : path.resolve(tree, named);
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR", "EACCES")) return undefined;
    throw error;
  }
}

/** Empty for a file that is not there. */
async function stampOf(file: string): Promise<string> {
  try {
    const { ino, size, mtimeNs } = await stat(file, { bigint: true });
    return `${ino}:${size}:${mtimeNs}`;
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR", "EACCES")) return "";
    throw error;
  }
}
