import {
  chmodSync,
  closeSync,
  fstatSync,
  lchownSync,
  mkdirSync,
  openSync,
  readlinkSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
} from "node:fs";
import path from "node:path";

import { readPieces, reflinkFile, writePiece } from "../base/copy-bytes.ts";
import { pinFile, pinFolder } from "../base/pinned.ts";
import type { Pinned } from "../base/pinned.ts";
import { hasErrorCode } from "../base/problem.ts";
import { findDifferences } from "./differences.ts";
import type { Differences, Entry } from "./differences.ts";
import { giveAll } from "./give-all.ts";
import type { Owner } from "./give-all.ts";
import { moveTarget } from "./move-target.ts";
import { pinInside, within } from "./pin-inside.ts";
import { readTreeList } from "./tree-list.ts";

/** A copy that was made ahead, to become what its original is now. */
export type RenewJob = {
  /** The original is `name` in the tree `root`, which others may change meanwhile. */
  readonly root: string;
  readonly name: string;
  /** The copy, which nobody else uses, and the list of its original from before it was made. */
  readonly copy: string;
  readonly list: string;
  /** Under which names the root is known to links in it, and what they are to lead to. */
  readonly links: { readonly from: readonly string[]; readonly to: string };
  /** Whose all of it becomes; null: we cannot give anything away. */
  readonly owner: Owner | null;
  /** Whose all of it is already; null: it is not known. */
  readonly copyOwner: Owner | null;
};

/** With more a copy takes about as long: of all that there is, and so many in any case. */
const MOST_CHANGES = { share: 0.25, least: 200 };

/** `isRenewed`: false when too much differs, or the original is gone; then the copy is of no use. */
export type Renewed = { readonly isRenewed: boolean; readonly changes: number };

/** Brings the copy up to date: for a thread that has nothing else to do. */
export function renewTree(job: RenewJob): Renewed {
  const original = pinInside(job.root, job.name);
  if (original === undefined) return { isRenewed: false, changes: 0 };
  try {
    const list = readTreeList(job.list);
    const found = findDifferences(original, path.join(job.root, job.name), list);
    const changes = found.gone.length + found.changed.length;
    const most = Math.max(MOST_CHANGES.least, MOST_CHANGES.share * list.names.length);
    if (changes > most) return { isRenewed: false, changes };
    mend(original, found, job);
    if (job.owner !== null) giveAll(listForeign(found, job), job.copy, job.owner);
    return { isRenewed: true, changes };
  } finally {
    original.close();
  }
}

/** Of an entry or a folder that is empty by now; what is not there is not missed. */
export function removeEntry(at: string): void {
  try {
    unlinkSync(at);
  } catch (error) {
    if (hasErrorCode(error, "EISDIR", "EPERM")) rmdirSync(at);
    else if (!hasErrorCode(error, "ENOENT")) throw error;
  }
}

function mend(original: Pinned, { gone, changed, touched }: Differences, job: RenewJob): void {
  for (const name of gone) removeEntry(path.join(job.copy, name));
  for (const entry of changed) bringEntry(original, entry, job);
  for (const name of touched) copyModeAndTimes(original, name, job.copy);
}

/** What has gone since it was looked at, or is something else, is left out. */
function bringEntry(original: Pinned, { name, kind }: Entry, { copy, links }: RenewJob): void {
  const target = path.join(copy, name);
  if (kind === "folder") return makeFolder(target);
  removeEntry(target);
  if (kind === "file") return within(original, name, (file) => copyFile(file, target));
  return within(original, name, (link) => copyLink(link, target, links));
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (!hasErrorCode(error, "EEXIST")) throw error;
  }
}

/** A link that names the original's tree by its absolute path would let the copy write into that. */
function copyLink(link: string, target: string, { from, to }: RenewJob["links"]): void {
  try {
    const aim = readlinkSync(link);
    symlinkSync(moveTarget(aim, from, to) ?? aim, target);
  } catch (error) {
    if (!hasErrorCode(error, "ENOENT", "EINVAL")) throw error;
  }
}

function copyFile(file: string, target: string): void {
  const pinned = pinFile(file);
  if (pinned === undefined) return;
  try {
    if (!reflinkFile(pinned, target)) copyBytes(pinned, target);
    copyStats(pinned, target);
  } finally {
    pinned.close();
  }
}

function copyBytes(source: Pinned, target: string): void {
  const fd = openSync(target, "wx", 0o600);
  try {
    for (const piece of readPieces(source)) writePiece(fd, piece);
  } finally {
    closeSync(fd);
  }
}

function copyModeAndTimes(original: Pinned, name: string, copy: string): void {
  within(original, name, (at) => {
    const folder = pinFolder(at);
    if (folder === undefined) return;
    try {
      copyStats(folder, path.join(copy, name));
    } finally {
      folder.close();
    }
  });
}

/** The owner comes first: to give a file away takes some of its mode. */
function copyStats({ fd }: Pinned, copy: string): void {
  const { uid, gid, mode, atimeMs, mtimeMs } = fstatSync(fd);
  if (process.getuid?.() === 0) lchownSync(copy, uid, gid);
  chmodSync(copy, mode & 0o7777);
  utimesSync(copy, atimeMs / 1000, mtimeMs / 1000);
}

/** What is not its new owner's yet: where it was made for that very one, only what was brought. */
function listForeign(
  { names, changed, touched }: Differences,
  { owner, copyOwner }: RenewJob,
): readonly string[] {
  const isOwned = owner?.uid === copyOwner?.uid && owner?.gid === copyOwner?.gid;
  return isOwned ? [...changed.map(({ name }) => name), ...touched] : names;
}
