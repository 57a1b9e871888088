/** An environment's file tree: copied for it, or completed where it runs on a workspace's own folder. */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open, realpath, stat } from "node:fs/promises";
import path from "node:path";

import { canReflink } from "../base/can-reflink.ts";
import { hasErrorCode } from "../base/problem.ts";
import type { SystemUser } from "../environment/places.ts";
import { bringIgnored } from "./bring.ts";
import { findClonePaths } from "./clone-paths.ts";
import type * as entry from "./copy-entry.ts";
import { areSameTree, inGitTree, listSkipped as listGitSkipped } from "./git.ts";
import type * as giving from "./give-all.ts";
import { keepTree } from "./keep.ts";
import { findIgnoredNames, listIgnored, type NamedListing, nameTree } from "./list-tree.ts";
import { openPair } from "./open-pair.ts";
import type { Brought } from "./outcomes.ts";
import { findUnshared, sumAllocated } from "./own-bytes.ts";
import * as spare from "./spare.ts";
import * as taking from "./take-folders.ts";

export type FilesOptions = {
  readonly source: string;
  readonly target: string;
  /** The manifest's `files.clone`: paths, or names such as `node_modules` that stand for nested ones as well. */
  readonly clone: readonly string[];
  /** Whose the copies become, where the server is root; null: they are ours. */
  readonly user: SystemUser | null;
  /** Tried before anything large is copied. */
  readonly ready?: PlaceReady | undefined;
};

/** Puts a copy that was made ahead where one is to be. False: there is none that is of use. */
export type PlaceReady = entry.PlaceReady;
export type Owner = giving.Owner;
export type SpareUse = spare.SpareUse;
/** Where such a copy lies: in a folder that nobody else reaches. It is of `name` in the tree `root`. */
export type SparePlace = spare.SparePlace;

/**
 * Makes a tree of its own of tracked files, untracked ones that are not ignored, and `clone`; without `.git`.
 * @throws `disk_full`, `copy_failed`, `git_failed`, `path_outside`
 */
export async function keepFiles(options: FilesOptions): Promise<{ detail: string }> {
  const { files, ...there } = await keepTree(options);
  const method = (await keepsReflinks(options)) ? "reflink" : "copied";
  return { detail: describe(method, there, [`${files} files`]) };
}

/**
 * Brings the ignored files that a workspace needs: `clone`, and what `.worktreeinclude` names. What is there stays.
 * @throws `disk_full`, `copy_failed`, `git_failed`, `path_outside`
 */
export async function bringFiles(
  options: FilesOptions,
): Promise<{ detail: string; brought: readonly string[] }> {
  const pair = await openPair(options.source, options.target);
  if (pair.sourceNames.includes(await realpath(options.target)))
    return { detail: "nothing to bring", brought: [] };
  const [there, isReflink] = await Promise.all([
    bringIgnored(pair, options),
    canReflink(options.target),
  ]);
  const { brought, ready } = there;
  if (brought.length === 0) return { detail: describe("nothing to bring", there), brought };
  const method = isReflink ? "reflink" : "copied";
  return { detail: describe(ready.size === brought.length ? "" : method, there), brought };
}

/**
 * Puts copies of the source's folders of this name in the place of the target's. False: not all could be copied.
 * @throws `disk_full`, `copy_failed`, `git_failed`
 */
export function takeFolders(options: taking.Taking): Promise<boolean> {
  return taking.takeFolders(options);
}

/** What of a tree the manifest's `files.clone` names. @throws `git_failed`, `path_outside` */
export async function findCloned(
  folder: string,
  clone: readonly string[],
): Promise<readonly string[]> {
  return findClonePaths(folder, clone, await listIgnored(folder));
}

/** Writes down what a spare copy is to be of, and tells how much that is: nothing where it is no folder. */
export function surveySpare(
  place: SparePlace,
  nowMs: number,
): Promise<{ readonly entries: number; readonly bytes: number }> {
  return spare.surveySpare(place, nowMs);
}

/** Copies what was surveyed, slowly, and gives it to its owner. @throws `disk_full`, `copy_failed` */
export function fillSpare(place: SparePlace, filling: spare.Filling): Promise<void> {
  return spare.fillSpare(place, filling);
}

/** Makes a spare copy what its original is by now. False: a copy is no slower. */
export function renewSpare(made: spare.MadeSpare, use: SpareUse): Promise<boolean> {
  return spare.renewSpare(made, use);
}

/** Moves one that was renewed for this use to its place. */
export function moveSpare(folder: string, use: SpareUse): Promise<void> {
  return spare.moveSpare(folder, use);
}

/** Whose a tree becomes that is to be this user's; null: we cannot give anything away. */
export function findOwner(user: Owner | null): Owner | null {
  return spare.findOwner(user);
}

/**
 * Bytes of a folder's files that no other file shares: what its removal would free. null where files can share blocks
 * and nothing here tells which do. Takes a look at every file: 20 to 100 ms for an environment.
 */
export async function measureOwnBytes(folder: string): Promise<number | null> {
  if (!(await canReflink(folder))) return sumAllocated(folder);
  return (await findUnshared(folder)) ?? null;
}

/** What a folder's files take up, as if none shared a block. */
export function measureAllocated(folder: string): Promise<number> {
  return sumAllocated(folder);
}

/** True when git says that both hold the same files, unchanged; false also means that it is not known. */
export function isSameTree(a: string, b: string): Promise<boolean> {
  return areSameTree([a, b]);
}

/** Changes when one of these files changes, appears or goes away. */
export async function hashFiles(folder: string, names: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const name of names)
    hash.update(`${name}\0${(await hashFile(path.join(folder, name))) ?? "absent"}\0`);
  return hash.digest("hex");
}

/**
 * What belongs to a tree: tracked files and those not ignored, without `.git` and `.ramet`; some may be gone. And what is
 * ignored, a whole folder by one name with a slash at its end. The same `id` says the same of the same names: of a list that was
 * read before only as much is asked anew as its `index` does not stand for.
 */
export async function listFiles(folder: string, known?: string | null): Promise<NamedListing> {
  return nameTree(folder, known);
}

/** What git tracks of a folder and a sparse checkout leaves out of it. */
export async function listSkipped(folder: string): Promise<ReadonlySet<string>> {
  return new Set(await inGitTree(folder, async (tree) => listGitSkipped(tree)));
}

/** Of these names, which need not exist, those that the folder's ignore rules leave out. */
export async function findIgnored(
  folder: string,
  names: readonly string[],
): Promise<ReadonlySet<string>> {
  return new Set(await findIgnoredNames(folder, names));
}

async function keepsReflinks({ source, target }: FilesOptions): Promise<boolean> {
  const [from, to] = await Promise.all([stat(source), stat(target)]);
  return from.dev === to.dev && canReflink(target);
}

function describe(
  method: string,
  { brought, ready, left }: Brought,
  first: readonly string[] = [],
): string {
  const named = brought.map((name) => (ready.has(name) ? `${name} (kept ready)` : name));
  const parts = [...first, ...named];
  const some = parts.length > 4 ? [...parts.slice(0, 4), `${parts.length - 4} more`] : parts;
  const without =
    left.length === 0 ? "" : `; left out, because a link leads out of the tree: ${left.join(", ")}`;
  return `${[method, some.join(", ")].filter((text) => text !== "").join(" ")}${without}`;
}

async function hashFile(file: string): Promise<string | undefined> {
  const handle = await openIfThere(file);
  if (handle === undefined) return undefined;
  try {
    if (!(await handle.stat()).isFile()) return undefined;
    const hash = createHash("sha256");
    for await (const chunk of handle.createReadStream({ autoClose: false })) hash.update(chunk);
    return hash.digest("hex");
  } finally {
    await handle.close();
  }
}

/** Without waiting: a named pipe would let its reader wait for ever. */
async function openIfThere(file: string): Promise<FileHandle | undefined> {
  try {
    return await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR", "ENXIO")) return undefined;
    throw error;
  }
}
