import { lstatSync } from "node:fs";
import { chmod, mkdir, readdir, rm, rmdir, statfs } from "node:fs/promises";
import path from "node:path";

import { Problem } from "../../base/problem.ts";
import { removeInside } from "../../base/remove-inside.ts";
import { runProgram } from "../../process/process.ts";

/** What `statfs` calls Btrfs, and the number of the folder that each of its subvolumes begins with. */
const BTRFS = 0x9123683e;
const ROOT_INODE = 256;
const LIMIT_MS = 60_000;

/**
 * Where an empty folder of ours lies on Btrfs it becomes a subvolume, of which copies are one snapshot: at once of the source,
 * if that is one. False: it is empty still.
 */
export async function becomeSnapshot(source: string, target: string): Promise<boolean> {
  if (!(await isOnBtrfs(target))) return false;
  const isThere = isSubvolume(source);
  await rmdir(target);
  if (isThere && (await runBtrfs("snapshot", source, target))) return true;
  if (await runBtrfs("create", target)) await chmod(target, 0o700);
  else await mkdir(target, { mode: 0o700 });
  return false;
}

export type Skip = (entry: string, beside: ReadonlySet<string>) => boolean;

/** Takes out of a snapshot what is to be skipped, and what is no plain file or folder. Resolves with the bytes of the rest. */
export async function stripSnapshot(root: string, skip: Skip, level = ""): Promise<number> {
  const entries = await readdir(path.join(root, level), { withFileTypes: true });
  const names = new Set(entries.map(({ name }) => name));
  let bytes = 0;
  for (const one of entries) {
    const entry = path.join(level, one.name);
    const file = path.join(root, entry);
    const isKept = (one.isFile() || one.isDirectory()) && !skip(entry, names);
    if (!isKept) await (one.isDirectory() ? removeInside(root, file) : rm(file));
    else if (one.isDirectory()) bytes += await stripSnapshot(root, skip, entry);
    else bytes += lstatSync(file).size;
  }
  return bytes;
}

async function isOnBtrfs(folder: string): Promise<boolean> {
  return (await statfs(folder)).type === BTRFS;
}

function isSubvolume(folder: string): boolean {
  const found = lstatSync(folder, { throwIfNoEntry: false });
  return found?.isDirectory() === true && found.ino === ROOT_INODE;
}

/** False: the program is missing, or the source lies on another disk; a copy of each file will do. */
async function runBtrfs(...args: readonly ["create" | "snapshot", ...string[]]): Promise<boolean> {
  const launch = {
    file: "btrfs",
    args: ["subvolume", ...args],
    folder: "/",
    environment: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" },
    user: null,
  };
  try {
    return (await runProgram(launch, { timeoutMs: LIMIT_MS })).exitCode === 0;
  } catch (error) {
    if (error instanceof Problem && error.code === "program_missing") return false;
    throw error;
  }
}
