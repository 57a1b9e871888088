import { constants } from "node:fs";
import { type FileHandle, lchown, lstat, mkdir, open, realpath } from "node:fs/promises";
import path from "node:path";

import { hasErrorCode } from "../base/problem.ts";
import { changedMeanwhile } from "./problems.ts";

export type Owner = { readonly uid: number; readonly gid: number };

/** A tree that is written to; what is made in it belongs to its owner. */
export type Root = {
  readonly folder: string;
  readonly owner: Owner | null;
  /** Whether folders that are missing are made on the way. */
  readonly makesFolders: boolean;
};

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * Works in a folder of the tree that was reached without following a link, whatever is done to the tree meanwhile:
 * where the system can (Linux) each step is taken from the open folder before it, and `work` gets a path that stays
 * with the folder. @throws `sync_conflict` when a file or a link is on the way
 */
export async function withFolderInside<T>(
  root: Root,
  relative: string,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  let handle = await open(await realpath(root.folder), FOLDER);
  let folder = await pathOf(handle, root.folder);
  try {
    for (const part of relative.split("/").filter((name) => name !== "" && name !== ".")) {
      const next = await openStep(root, path.join(folder, part), relative);
      await handle.close();
      handle = next;
      folder = await pathOf(handle, path.join(folder, part));
    }
    return await work(folder);
  } finally {
    await handle.close();
  }
}

/** Root alone can give files away, and must: the tree's owner could not change them otherwise. */
export async function giveToOwner(file: string, { owner }: Root): Promise<void> {
  if (owner !== null) await lchown(file, owner.uid, owner.gid);
}

async function pathOf(handle: FileHandle, plain: string): Promise<string> {
  if (process.platform !== "linux") return plain;
  return `/proc/self/fd/${handle.fd}`;
}

async function openStep(root: Root, folder: string, relative: string): Promise<FileHandle> {
  try {
    return await open(folder, FOLDER);
  } catch (error) {
    if (hasErrorCode(error, "ENOTDIR", "ELOOP", "EMLINK")) throw changedMeanwhile(relative);
    if (!hasErrorCode(error, "ENOENT")) throw error;
    if (!root.makesFolders) throw changedMeanwhile(relative);
  }
  await makeFolder(root, folder);
  return open(folder, FOLDER);
}

async function makeFolder(root: Root, folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o755 });
    await giveToOwner(folder, root);
  } catch (error) {
    // Another file's folder is the same one.
    if (!hasErrorCode(error, "EEXIST") || !(await lstat(folder)).isDirectory()) throw error;
  }
}
