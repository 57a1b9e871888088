import { type BigIntStats, readFileSync, statSync } from "node:fs";
import path from "node:path";

import { systemClock, waitFor } from "../../base/clock.ts";
import { hasErrorCode } from "../../base/problem.ts";

/** A lock that is older was left by a git that was killed. */
const LOCK_LIMIT_MS = 30_000;
const LOCK_STEP_MS = 5;
const SPARSE = "info/sparse-checkout";

/** What may be done while git is changing a tree, again and again, as long as it is. */
export type Meanwhile = (isStill: () => boolean) => Promise<void>;

/** Waits while git is changing the tree; a half-done switch of branches is no state of it. */
export async function untilGitIsDone(
  tree: string,
  signal: AbortSignal,
  meanwhile?: Meanwhile,
): Promise<void> {
  const folder = findGitFolder(tree);
  if (folder === undefined) return;
  const isStill = (): boolean => isLocked(folder);
  const isFree = async (): Promise<true | undefined> => {
    if (isStill()) await meanwhile?.(() => isStill() && !signal.aborted);
    return isStill() ? undefined : true;
  };
  await waitFor(isFree, { timeoutMs: LOCK_LIMIT_MS, everyMs: LOCK_STEP_MS, signal });
}

/** Differs after git has changed the tree; undefined: it is about to. Some system calls, which take microseconds. */
export function stampGit(tree: string): string | undefined {
  const folder = findGitFolder(tree);
  if (folder === undefined) return "";
  const stamp = ["HEAD", "index"].map((name) => stampFile(path.join(folder, name))).join();
  return isLocked(folder) ? undefined : stamp;
}

/** The same of which of its files git leaves out of the tree; "" where that was never asked of it. */
export function stampSparse(tree: string): string | undefined {
  const folder = findGitFolder(tree);
  const patterns = folder === undefined ? "" : stampFile(path.join(folder, SPARSE));
  if (patterns === "") return "";
  const git = stampGit(tree);
  return git && `${patterns} ${git}`;
}

/** Differs after a file was changed; "" where there is none. */
export function stampFile(file: string): string {
  const found = statIfThere(file);
  return found === undefined ? "" : `${found.ino}:${found.size}:${found.mtimeNs}`;
}

function isLocked(folder: string): boolean {
  const lock = statIfThere(path.join(folder, "index.lock"));
  return lock !== undefined && systemClock.now() - Number(lock.mtimeMs) < LOCK_LIMIT_MS;
}

/** In a worktree or a submodule `.git` is a file that names the folder. */
function findGitFolder(tree: string): string | undefined {
  const entry = path.join(tree, ".git");
  try {
    if (statIfThere(entry)?.isDirectory() === true) return entry;
    const named = /^gitdir: (.+)$/m.exec(readFileSync(entry, "utf8"))?.[1];
    return named === undefined ? undefined : path.resolve(tree, named);
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR", "EACCES")) return undefined;
    throw error;
  }
}

function statIfThere(file: string): BigIntStats | undefined {
  try {
    return statSync(file, { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR", "EACCES")) return undefined;
    throw error;
  }
}
