import {
  type BigIntStats,
  closeSync,
  constants,
  fdatasync,
  fdatasyncSync,
  linkSync,
  openSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmdirSync,
  statSync,
  symlinkSync,
  unlinkSync,
} from "node:fs";
import { promisify } from "node:util";

import { hasErrorCode } from "../../base/problem.ts";
import { splitPath } from "../core/paths.ts";
import { breathe } from "./breathe.ts";
import { ThreadBulk } from "./bulk.ts";
import type { Bulk, Disk, Listed, Place, Range, Seen, Writing } from "./disk.ts";
import { hasExactTimes } from "./exact-times.ts";
import { exchangeFiles } from "./exchange-files.ts";
import { isUpwards, PinnedFolders } from "./pinned-folders.ts";
import { createPlain, type Owner, PART_BYTES, readPlain, writeWhole } from "./plain-file.ts";
import { changedMeanwhile, syncBlocked } from "./problems.ts";
import { reachingFolder } from "./real-folder.ts";
import { kindOf, seeFile, type Typed } from "./see-file.ts";

const NOTE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
/** Of a file that may be there already: no link, and no pipe that would have us wait. */
const OVERWRITE =
  constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const APPEND = OVERWRITE | constants.O_APPEND;
const flush = promisify(fdatasync);
const ABSENT = ["ENOENT", "ENOTDIR", "ELOOP"] as const;
/** What tells in the store how finely the disk counts time. */
const CLOCK = "clock";

export type DiskOptions = {
  readonly tree: string;
  /** A folder of ours on the same disk, and the way to the store from there; it is made. */
  readonly store: { readonly base: string; readonly path: string };
};

/** A disk as it is. What it makes belongs to the tree's owner, in the store too. @throws `sync_unreadable` */
export function openDisk({ tree, store }: DiskOptions): Disk {
  const owner = ownerOf(tree);
  const root = realpathSync(tree);
  return new RealDisk({
    tree,
    root,
    folders: {
      tree: new PinnedFolders(root, { owner, mode: 0o755 }),
      store: new PinnedFolders(realpathSync(store.base), { owner, mode: 0o700 }),
    },
    storePath: store.path,
  });
}

/** Which folder it is, without opening its disk. @throws `sync_unreadable` */
export function identifyTree(tree: string): string {
  const { ino, birthtimeNs } = statTree(tree);
  return `${ino}:${birthtimeNs}`;
}

type Parts = {
  readonly tree: string;
  readonly root: string;
  readonly folders: Readonly<Record<Place["area"], PinnedFolders>>;
  readonly storePath: string;
};

class RealDisk implements Disk {
  readonly bulk: Bulk;
  readonly #parts: Parts;
  #exact: bigint | null | undefined;
  /** False: there was no store yet, and nothing is gained by making one. */
  #isTriedOut = false;
  /** Once something is read: a disk is often opened for a look at its names. */
  #buffer: Buffer | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.bulk = new ThreadBulk({ ...parts, findExact: () => this.#findExact() });
  }

  identify(): string {
    return identifyTree(this.#parts.tree);
  }

  see(place: Place): Seen | undefined {
    const file = this.#find(place);
    if (file === undefined) return undefined;
    return seeFile(file, this.#findExact());
  }

  list(folder: Place): readonly Listed[] | undefined {
    const real = this.#folders(folder).find(this.#wayTo(folder));
    if (real === undefined) return undefined;
    return orAbsent(() => readdirSync(real, { withFileTypes: true }).map(toListed));
  }

  readLink(place: Place): string | undefined {
    const file = this.#find(place);
    if (file === undefined) return undefined;
    return orAbsent(() => readlinkSync(file), "EINVAL");
  }

  *read(place: Place, range?: Range): Generator<Uint8Array> {
    const file = this.#find(place);
    this.#buffer ??= Buffer.allocUnsafeSlow(PART_BYTES);
    if (file !== undefined) yield* readPlain(file, this.#buffer, range);
  }

  write(place: Place, executable: boolean): Writing {
    const { owner } = this.#parts.folders.tree;
    const descriptor = createPlain(this.#make(place), { executable, owner });
    return {
      write: (bytes) => writeWhole(descriptor, bytes),
      close: () => closeSync(descriptor),
    };
  }

  exchange(a: Place, b: Place): "done" | "gone" | "unable" {
    const [one, other] = [this.#find(a), this.#find(b)];
    return one === undefined || other === undefined ? "gone" : exchangeFiles(one, other);
  }

  link(from: Place, to: Place): boolean {
    return this.#unlessThere(() => linkSync(this.#make(from), this.#make(to)), to);
  }

  makeLink(target: string, to: Place): boolean {
    return this.#unlessThere(() => {
      const file = this.#make(to);
      symlinkSync(target, file);
      this.#folders(to).give(file);
    }, to);
  }

  move(from: Place, to: Place): boolean {
    const file = this.#find(from);
    if (file === undefined) return false;
    const target = this.#make(to);
    const codes = ["EEXIST", "ENOTEMPTY", "EISDIR"];
    return orAbsent(() => renameSync(file, target) ?? true, ...codes) === true;
  }

  remove(place: Place): void {
    const file = this.#find(place);
    if (file !== undefined) orAbsent(() => unlinkSync(file));
  }

  removeFolder(folder: Place): boolean {
    const real = this.#find(folder);
    if (real === undefined) return false;
    const isGone = orAbsent(() => rmdirSync(real) ?? true, "ENOTEMPTY", "EEXIST") === true;
    if (isGone) this.#folders(folder).forget(this.#wayTo(folder));
    return isGone;
  }

  makeFolder(folder: Place): void {
    this.#folders(folder).make(this.#wayTo(folder));
  }

  note(place: Place, text: string): void {
    const file = this.#make(place);
    const descriptor = openSync(file, NOTE, 0o600);
    try {
      writeWhole(descriptor, Buffer.from(text));
      fdatasyncSync(descriptor);
      this.#folders(place).giveOpen(descriptor);
    } finally {
      closeSync(descriptor);
    }
  }

  /** What waits for the disk is a thread of its own. */
  async overwrite(place: Place, text: string, durably?: "durably"): Promise<void> {
    const descriptor = openSync(this.#make(place), OVERWRITE, 0o600);
    try {
      writeWhole(descriptor, Buffer.from(text));
      if (durably !== undefined) await flush(descriptor);
      this.#folders(place).giveOpen(descriptor);
    } finally {
      closeSync(descriptor);
    }
  }

  append(place: Place, text: string): void {
    const descriptor = openSync(this.#make(place), APPEND, 0o600);
    try {
      writeWhole(descriptor, Buffer.from(text));
      this.#folders(place).giveOpen(descriptor);
    } finally {
      closeSync(descriptor);
    }
  }

  rest(): void {
    for (const folders of Object.values(this.#parts.folders)) folders.close();
    if (!this.#isTriedOut) this.#exact = undefined;
  }

  /** The device of the store where its times are exact: what else is mounted in a tree may count otherwise. */
  #findExact(): bigint | null {
    if (this.#exact !== undefined) return this.#exact;
    const store = this.#parts.folders.store.find(this.#parts.storePath);
    this.#isTriedOut = store !== undefined;
    this.#exact = store === undefined ? null : tryOut(store);
    return this.#exact;
  }

  breathe(): Promise<void> {
    return breathe();
  }

  #folders({ area }: Place): PinnedFolders {
    return this.#parts.folders[area];
  }

  #wayTo({ area, path }: Place): string {
    // Not joined: a name that leads upwards must stay one that can be refused.
    if (area === "tree") return path;
    return path === "" ? this.#parts.storePath : `${this.#parts.storePath}/${path}`;
  }

  #find(place: Place): string | undefined {
    const { parent, name } = splitPath(this.#wayTo(place));
    const folder = isUpwards(name) ? undefined : this.#folders(place).find(parent);
    return folder === undefined ? undefined : `${folder}/${name}`;
  }

  #make(place: Place): string {
    const { parent, name } = splitPath(this.#wayTo(place));
    if (isUpwards(name)) throw syncBlocked(place.path);
    return `${this.#folders(place).make(parent)}/${name}`;
  }

  #unlessThere(work: () => void, to: Place): boolean {
    try {
      work();
      return true;
    } catch (error) {
      if (hasErrorCode(error, "EEXIST", "EISDIR", "ENOTEMPTY")) return false;
      // The folder was removed meanwhile.
      if (hasErrorCode(error, "ENOENT")) throw changedMeanwhile(to.path);
      throw error;
    }
  }
}

function ownerOf(tree: string): Owner | null {
  const { uid, gid } = statTree(tree);
  return process.getuid?.() === 0 ? { uid: Number(uid), gid: Number(gid) } : null;
}

function tryOut(store: string): bigint | null {
  const { dev } = statSync(`${store}/`, { bigint: true });
  return hasExactTimes(`${store}/${CLOCK}`) ? dev : null;
}

function statTree(tree: string): BigIntStats {
  return reachingFolder(tree, () => statSync(`${tree}/`, { bigint: true }));
}

function toListed(entry: Typed & { readonly name: string }): Listed {
  return { name: entry.name, kind: kindOf(entry) };
}

/** undefined where nothing stands. */
function orAbsent<T>(work: () => T, ...codes: readonly string[]): T | undefined {
  try {
    return work();
  } catch (error) {
    if (hasErrorCode(error, ...ABSENT, ...codes)) return undefined;
    throw error;
  }
}
