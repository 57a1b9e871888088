import {
  chownSync,
  closeSync,
  constants,
  fchownSync,
  fstatSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
} from "node:fs";

import { hasErrorCode } from "../../base/problem.ts";
import type { Owner } from "./plain-file.ts";
import { syncBlocked } from "./problems.ts";

export type PinnedOptions = {
  /** Whose what is made in it becomes, where we are root; null: it is ours. */
  readonly owner: Owner | null;
  readonly mode: number;
};

/** A path that leads to a folder whatever becomes of its names. */
export type Lent = { readonly path: string; giveBack(): void };

const HAS_DESCRIPTOR_PATHS = process.platform === "linux";
/** Linux's `O_PATH`, which Node does not name: whatever stands there, a link too, without opening it. */
const IN_PLACE = (HAS_DESCRIPTOR_PATHS ? 0o10000000 : constants.O_RDONLY) | constants.O_NOFOLLOW;
const FOLDER = IN_PLACE | constants.O_DIRECTORY;
/** Held open at a time. */
const MAX_OPEN = 200;

/**
 * Folders that are reached without following a link, whatever is done to the tree meanwhile: where the system can
 * (Linux) each step is taken from the open folder before it, and the path that is told stays with the folder.
 */
export class PinnedFolders {
  readonly #base: string;
  readonly #options: PinnedOptions;
  readonly #open = new Map<string, number>();

  /** @param base a real path; it is never made: whatever was removed or moved would come back as an empty one */
  constructor(base: string, options: PinnedOptions) {
    this.#base = base;
    this.#options = options;
  }

  /** A path of the folder; undefined: there is none, or a link or a file is on the way. */
  find(relative: string): string | undefined {
    return this.#reach(relative, false);
  }

  /** The same; what is missing is made. @throws `sync_blocked` when a link or a file is on the way */
  make(relative: string): string {
    const folder = this.#reach(relative, true);
    if (folder === undefined) throw syncBlocked(relative);
    return folder;
  }

  get owner(): Owner | null {
    return this.#options.owner;
  }

  /** The folder's path for a thread: it stays until it is given back, whatever is reached and let go of here. */
  lend(relative: string, makes: boolean): Lent | undefined {
    const folder = makes ? this.make(relative) : this.find(relative);
    if (folder === undefined) return undefined;
    if (!HAS_DESCRIPTOR_PATHS) return { path: folder, giveBack: () => undefined };
    const descriptor = openFolder(`${folder}/.`);
    if (descriptor === undefined) return undefined;
    return { path: pathOf(descriptor), giveBack: () => closeSync(descriptor) };
  }

  /** Root alone can give away what it has just made, and must: the tree's owner could not change it otherwise. */
  give(file: string): void {
    const { owner } = this.#options;
    if (owner === null) return;
    if (HAS_DESCRIPTOR_PATHS) giveInPlace(file, owner);
    else lchownSync(file, owner.uid, owner.gid);
  }

  giveOpen(descriptor: number): void {
    const { owner } = this.#options;
    if (owner !== null) fchownSync(descriptor, owner.uid, owner.gid);
  }

  /** It was removed: what is made under its name is another. */
  forget(relative: string): void {
    for (const [way, descriptor] of this.#open) {
      if (way !== relative && !way.startsWith(`${relative}/`)) continue;
      closeSync(descriptor);
      this.#open.delete(way);
    }
  }

  close(): void {
    for (const descriptor of this.#open.values()) closeSync(descriptor);
    this.#open.clear();
  }

  #reach(relative: string, makes: boolean): string | undefined {
    const open = this.#open.get(relative);
    if (open !== undefined) return pathOf(open);
    if (this.#open.size > MAX_OPEN) this.close();
    let folder = this.#step("", this.#base, false);
    let way = "";
    for (const part of relative.split("/").filter((name) => name !== "")) {
      if (folder === undefined || isUpwards(part)) return undefined;
      way = way === "" ? part : `${way}/${part}`;
      folder = this.#step(way, `${folder}/${part}`, makes);
    }
    return folder;
  }

  #step(way: string, folder: string, makes: boolean): string | undefined {
    if (!HAS_DESCRIPTOR_PATHS) return this.#isFolder(folder, makes) ? folder : undefined;
    const known = this.#open.get(way) ?? this.#pin(folder, makes);
    if (known === undefined) return undefined;
    this.#open.set(way, known);
    return pathOf(known);
  }

  #pin(folder: string, makes: boolean): number | undefined {
    const found = openFolder(folder);
    if (found !== undefined || !makes || !this.#makeOne(folder)) return found;
    return openFolder(folder);
  }

  #isFolder(folder: string, makes: boolean): boolean {
    const found = lstatSync(folder, { throwIfNoEntry: false });
    if (found !== undefined) return found.isDirectory();
    return makes && this.#makeOne(folder);
  }

  #makeOne(folder: string): boolean {
    try {
      mkdirSync(folder, { mode: this.#options.mode });
      this.give(folder);
      return true;
    } catch (error) {
      if (hasErrorCode(error, "EEXIST", "ENOENT", "ENOTDIR")) return false;
      throw error;
    }
  }
}

function pathOf(descriptor: number): string {
  return `/proc/self/fd/${descriptor}`;
}

/** Whoever read a path from a file has not been told that it leads out. */
export function isUpwards(name: string): boolean {
  return name === "." || name === "..";
}

/** Somebody who may write to the folder may have put in its place what is not his: that is left as it is. */
function giveInPlace(file: string, { uid, gid }: Owner): void {
  const descriptor = openSync(file, IN_PLACE);
  try {
    const made = fstatSync(descriptor);
    const isOurs = made.uid === process.getuid?.() && (made.isDirectory() || made.nlink === 1);
    if (isOurs) chownSync(pathOf(descriptor), uid, gid);
  } finally {
    closeSync(descriptor);
  }
}

function openFolder(folder: string): number | undefined {
  try {
    return openSync(folder, FOLDER);
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR", "ELOOP", "EMLINK")) return undefined;
    throw error;
  }
}
