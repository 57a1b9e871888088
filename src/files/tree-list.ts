import { constants, fstatSync, lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { Stats } from "node:fs";
import path from "node:path";

import { pinFolder } from "../base/pinned.ts";
import type { Pinned } from "../base/pinned.ts";
import { hasErrorCode } from "../base/problem.ts";
import { isLitterIn } from "./litter.ts";
import { writeNewFile } from "./new-file.ts";

/**
 * What is in a folder, parents before what they hold, the folder itself as `""`; and three numbers of each, of which one
 * changes with it: the kernel dates every change of an entry's bytes, mode, owner, or, of a folder, names.
 */
export type TreeList = { readonly names: readonly string[]; readonly stamps: Float64Array };

export type Kind = "folder" | "file" | "link";
/** As the list has it, but another. Of a kind that is not listed, such as a pipe, it is `gone`. */
export type State = "same" | "changed" | "gone" | "replaced";

/** Mode, time of the last change, inode. */
const NUMBERS = 3;
/** Unlike any number, itself too. */
const UNKNOWN = Number.NaN;

/**
 * Others may change the folder meanwhile: it is entered step by step, and never through a link. Whatever changed since
 * `freshMs` counts as changed again, since the kernel may give the next change the same date; and so does a link to an
 * absolute path, which may have to lead elsewhere in a copy.
 */
export function listEntries(
  root: Pinned,
  rootName: string,
  freshMs: number,
): TreeList & { readonly bytes: number } {
  const list: Listing = { names: [], numbers: [], bytes: 0, freshMs };
  add(list, "", { stats: fstatSync(root.fd), isKnown: true });
  listFolder({ folder: root, name: "", ownName: rootName }, list);
  return { ...list, stamps: Float64Array.from(list.numbers) };
}

/** How an entry of the list is by now. Looks at it, and opens nothing. */
export function stateOf({ stamps }: TreeList, index: number, at: string): State {
  const stats = lstatSync(at, { throwIfNoEntry: false });
  const [mode = 0, changedMs, inode] = stamps.subarray(index * NUMBERS, (index + 1) * NUMBERS);
  if (stats === undefined || kindOf(stats.mode) === undefined) return "gone";
  if (kindOf(stats.mode) !== kindOf(mode)) return "replaced";
  const isSame = stats.ctimeMs === changedMs && stats.ino === inode && stats.mode === mode;
  return isSame ? "same" : "changed";
}

/** undefined: it is not there, or none that is listed. */
export function findKind(at: string): Kind | undefined {
  return kindOf(lstatSync(at, { throwIfNoEntry: false })?.mode ?? 0);
}

/** What lies in a folder of this name, without what is left out of every list. */
export function listFolderNames(folder: Pinned, ownName: string): readonly string[] {
  return readdirSync(folder.path).filter((entry) => !isLitterIn(ownName, entry));
}

export function kindAt({ stamps }: TreeList, index: number): Kind | undefined {
  return kindOf(stamps[index * NUMBERS] ?? 0);
}

/** Two files; neither may be there yet. */
export function writeTreeList(file: string, { names, stamps }: TreeList): void {
  writeNewFile(`${file}.names`, names.join("\0"));
  writeNewFile(`${file}.stamps`, Buffer.from(stamps.buffer));
}

export function readTreeList(file: string): TreeList {
  const bytes = readFileSync(`${file}.stamps`);
  const copy = new Float64Array(bytes.byteLength / Float64Array.BYTES_PER_ELEMENT);
  bytes.copy(new Uint8Array(copy.buffer));
  return { names: readFileSync(`${file}.names`, "utf8").split("\0"), stamps: copy };
}

type Listing = {
  readonly names: string[];
  readonly numbers: number[];
  bytes: number;
  readonly freshMs: number;
};
type Listed = { readonly folder: Pinned; readonly name: string; readonly ownName: string };

function listFolder({ folder, name, ownName }: Listed, list: Listing): void {
  for (const entry of listFolderNames(folder, ownName)) {
    const at = `${folder.path}/${entry}`;
    const stats = lstatSync(at, { throwIfNoEntry: false });
    if (stats === undefined || kindOf(stats.mode) === undefined) continue;
    const inner = name === "" ? entry : `${name}/${entry}`;
    add(list, inner, { stats, isKnown: !isAbsoluteLink(stats, at) });
    if (stats.isDirectory()) listInner(at, inner, list);
  }
}

type Seen = { readonly stats: Stats; readonly isKnown: boolean };

function add(list: Listing, name: string, { stats, isKnown }: Seen): void {
  const { mode, ino, ctimeMs } = stats;
  list.names.push(name);
  list.numbers.push(mode, isKnown && ctimeMs < list.freshMs ? ctimeMs : UNKNOWN, ino);
  if (stats.isFile()) list.bytes += stats.size;
}

function listInner(at: string, name: string, list: Listing): void {
  const folder = pinFolder(at);
  if (folder === undefined) return;
  try {
    listFolder({ folder, name, ownName: path.basename(name) }, list);
  } finally {
    folder.close();
  }
}

function isAbsoluteLink(stats: Stats, at: string): boolean {
  if (!stats.isSymbolicLink()) return false;
  try {
    return path.isAbsolute(readlinkSync(at));
  } catch (error) {
    // Gone, or replaced by something else.
    if (hasErrorCode(error, "ENOENT", "EINVAL")) return true;
    throw error;
  }
}

function kindOf(mode: number): Kind | undefined {
  const type = mode & constants.S_IFMT;
  if (type === constants.S_IFDIR) return "folder";
  if (type === constants.S_IFREG) return "file";
  return type === constants.S_IFLNK ? "link" : undefined;
}
