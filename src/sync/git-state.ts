import type { BigIntStats } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import path from "node:path";

import { systemClock, waitFor } from "../base/clock.ts";
import { hasErrorCode } from "../base/problem.ts";

/** A lock that is older was left by a git that was killed. */
const LOCK_LIMIT_MS = 30_000;
const LOCK_STEP_MS = 5;

/** Waits while git is changing the tree; a half-done switch of branches is no state of it. */
export async function untilGitIsDone(tree: string, signal: AbortSignal): Promise<void> {
  const folder = await findGitFolder(tree);
  if (folder === undefined) return;
  const isFree = async (): Promise<true | undefined> =>
    (await isLocked(folder)) ? undefined : true;
  await waitFor(isFree, { timeoutMs: LOCK_LIMIT_MS, everyMs: LOCK_STEP_MS, signal });
}

/** Differs after git has changed the tree; undefined: it is about to. */
export async function stampGit(tree: string): Promise<string | undefined> {
  const folder = await findGitFolder(tree);
  if (folder === undefined) return "";
  const stamps = ["HEAD", "index"].map(async (name) => {
    const found = await statIfThere(path.join(folder, name));
    return found === undefined ? "" : `${found.ino}:${found.size}:${found.mtimeNs}`;
  });
  const stamp = (await Promise.all(stamps)).join();
  return (await isLocked(folder)) ? undefined : stamp;
}

async function isLocked(folder: string): Promise<boolean> {
  const lock = await statIfThere(path.join(folder, "index.lock"));
  return lock !== undefined && systemClock.now() - Number(lock.mtimeMs) < LOCK_LIMIT_MS;
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

async function statIfThere(file: string): Promise<BigIntStats | undefined> {
  try {
    return await stat(file, { bigint: true });
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR", "EACCES")) return undefined;
    throw error;
  }
}
