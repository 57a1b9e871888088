import { constants } from "node:fs";
import { copyFile, link, mkdir, readlink, rename, rm, symlink } from "node:fs/promises";
import path from "node:path";

import { hasErrorCode } from "../base/problem.ts";
import { exists } from "../base/remove-inside.ts";
import { type Entry, isSameEntry } from "./core/tree.ts";
import { changedMeanwhile } from "./problems.ts";
import { readEntry } from "./read-entry.ts";

/** What stands at a path of the tree, and what must stand there. */
export type Found = { readonly file: string; readonly path: string; readonly expected: Entry };

/** Where displaced bytes are put: this folder, or the first free one named after it, so that none meet others. */
export async function chooseDisplaced(folder: string): Promise<string> {
  for (let count = 1; ; count += 1) {
    const candidate = count === 1 ? folder : `${folder}-${count}`;
    if (!(await exists(candidate))) return candidate;
  }
}

/** Keeps what stands there, which stays there as well. @throws `sync_conflict` when it is not what was expected */
export async function keepCopy(found: Found, displaced: string): Promise<void> {
  const copy = await prepare(found, displaced);
  if (found.expected.kind === "link") await symlink(await readlink(found.file), copy);
  else await linkOrCopy(found.file, copy);
  if (isSameEntry(await readEntry(copy), found.expected)) return;
  await rm(copy, { force: true });
  throw changedMeanwhile(found.path);
}

/** Moves it away. @throws `sync_conflict` when it is not what was expected, and puts it back */
export async function moveAway(found: Found, displaced: string): Promise<void> {
  const copy = await prepare(found, displaced);
  try {
    await rename(found.file, copy);
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) throw changedMeanwhile(found.path);
    if (!hasErrorCode(error, "EXDEV")) throw error;
    await keepCopy(found, displaced);
    await rm(found.file);
    return;
  }
  if (isSameEntry(await readEntry(copy), found.expected)) return;
  await putBack(copy, found.file);
  throw changedMeanwhile(found.path);
}

async function prepare({ path: relative }: Found, displaced: string): Promise<string> {
  const copy = path.join(displaced, relative);
  await mkdir(path.dirname(copy), { recursive: true, mode: 0o700 });
  return copy;
}

/** A second name for the same bytes, until the first is taken from it: nothing is copied. */
async function linkOrCopy(file: string, copy: string): Promise<void> {
  try {
    await link(file, copy);
  } catch (error) {
    if (!hasErrorCode(error, "EXDEV", "EPERM", "ENOTSUP", "EMLINK")) throw error;
    await copyFile(file, copy, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  }
}

/** Unless something new stands there by now: then both are kept, each where it is. */
async function putBack(copy: string, file: string): Promise<void> {
  if (!(await exists(file))) await rename(copy, file);
}
