import type { BigIntStats } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import path from "node:path";

import { forEachParallel } from "../base/for-each-parallel.ts";
import { hasErrorCode } from "../base/problem.ts";
import { findIgnored, listFiles } from "../files/files.ts";
import type { Entry, Tree } from "./core/tree.ts";
import { isLeftOut } from "./left-out.ts";
import { syncUnreadable } from "./problems.ts";
import { readEntry } from "./read-entry.ts";

const MAX_FILES = 500_000;
/** How many files are read side by side. */
const MOST = 16;

/** Both sides by one set of rules, the workspace's: the environment's tree has no git of its own. */
export async function scanSides(
  local: string,
  remote: string,
): Promise<{ local: Tree; remote: Tree }> {
  const before = await identify(local, remote);
  const [here, there] = await Promise.all([listFiles(local), walk(remote)]);
  const localNames = new Set(here.filter(isTransferred));
  const ignored = await findIgnored(
    local,
    there.filter((name) => !localNames.has(name)),
  );
  const remoteNames = there.filter((name) => !ignored.has(name));
  const trees = {
    local: await readTree(local, [...localNames]),
    remote: await readTree(remote, remoteNames),
  };
  // A tree that was moved away while it was read has lost no file.
  if ((await identify(local, remote)) !== before)
    throw syncUnreadable(remote, "it was replaced while it was read");
  return trees;
}

/** Which folders these are. A side that is not there is not an empty one. */
async function identify(...roots: readonly string[]): Promise<string> {
  const ids = roots.map(async (root) => {
    const { dev, ino } = await statFolder(root);
    return `${dev}:${ino}`;
  });
  return (await Promise.all(ids)).join();
}

function isTransferred(name: string): boolean {
  return !name.split("/").some(isLeftOut);
}

/** Every file and link below a folder; links are not followed. */
async function walk(root: string): Promise<readonly string[]> {
  const names: string[] = [];
  const folders = [""];
  for (const folder of folders) {
    for (const entry of await readFolder(path.join(root, folder))) {
      if (isLeftOut(entry.name)) continue;
      const name = folder === "" ? entry.name : `${folder}/${entry.name}`;
      (entry.isDirectory() ? folders : names).push(name);
    }
    if (names.length + folders.length > MAX_FILES)
      throw syncUnreadable(root, `it holds more than ${MAX_FILES} files`);
  }
  return names;
}

async function readFolder(folder: string): Promise<{ name: string; isDirectory(): boolean }[]> {
  return explained(folder, () => readdir(folder, { withFileTypes: true }));
}

async function statFolder(folder: string): Promise<BigIntStats> {
  return explained(folder, () => stat(`${folder}/`, { bigint: true }));
}

async function explained<T>(folder: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR"))
      throw syncUnreadable(folder, "there is no such folder");
    if (hasErrorCode(error, "EACCES", "EPERM")) throw syncUnreadable(folder, "it may not be read");
    throw error;
  }
}

async function readTree(root: string, names: readonly string[]): Promise<Tree> {
  const entries = new Map<string, Entry>();
  await forEachParallel(names, MOST, async (name) => {
    const entry = await readEntry(path.join(root, name));
    if (entry !== undefined) entries.set(name, entry);
  });
  return entries;
}
