/** What a disk would be without its defence: each folder on the way is looked at, and then the path is used. */
import {
  type BigIntStats,
  closeSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";

import type { Disk, Kind, Listed, Place, Seen, Writing } from "../../src/sync/disk/disk.ts";

export type CheckedOptions = {
  readonly tree: string;
  readonly store: string;
  /** What happens between a look at the way to a place and its use. */
  readonly between: (use: keyof Disk, place: Place) => void;
};

export class CheckedDisk implements Disk {
  readonly #options: CheckedOptions;

  constructor(options: CheckedOptions) {
    this.#options = options;
  }

  identify(): string {
    return "the same";
  }

  see(place: Place): Seen | undefined {
    return orNothing(() => toSeen(lstatSync(this.#use("see", place), { bigint: true })));
  }

  list(folder: Place): readonly Listed[] | undefined {
    return orNothing(() =>
      readdirSync(this.#use("list", folder), { withFileTypes: true }).map((entry) => ({
        name: entry.name,
        kind: kindOf(entry),
      })),
    );
  }

  readLink(place: Place): string | undefined {
    return orNothing(() => readlinkSync(this.#use("readLink", place)));
  }

  read(place: Place): Iterable<Uint8Array> {
    return [orNothing(() => readFileSync(this.#use("read", place))) ?? new Uint8Array(0)];
  }

  write(place: Place, executable: boolean): Writing {
    const file = this.#use("write", this.#withFolder(place));
    const descriptor = openSync(file, "w", executable ? 0o755 : 0o644);
    return {
      write: (bytes) => void writeSync(descriptor, bytes),
      close: () => closeSync(descriptor),
    };
  }

  exchange(a: Place, b: Place): "done" | "gone" | "unable" {
    const one = this.#check(a);
    const other = this.#use("exchange", b);
    if (!existsSync(one) || !existsSync(other)) return "gone";
    renameSync(other, `${one}.kept`);
    renameSync(one, other);
    renameSync(`${one}.kept`, one);
    return "done";
  }

  link(from: Place, to: Place): boolean {
    const file = this.#check(from);
    return isDone(() => linkSync(file, this.#use("link", this.#withFolder(to))));
  }

  makeLink(target: string, to: Place): boolean {
    return isDone(() => symlinkSync(target, this.#use("makeLink", this.#withFolder(to))));
  }

  move(from: Place, to: Place): boolean {
    const target = this.#check(this.#withFolder(to));
    return isDone(() => renameSync(this.#use("move", from), target));
  }

  remove(place: Place): void {
    isDone(() => unlinkSync(this.#use("remove", place)));
  }

  removeFolder(folder: Place): boolean {
    return isDone(() => rmdirSync(this.#use("removeFolder", folder)));
  }

  makeFolder(folder: Place): void {
    mkdirSync(this.#use("makeFolder", folder), { recursive: true });
  }

  note(place: Place, text: string): void {
    writeFileSync(this.#use("note", this.#withFolder(place)), text);
  }

  async overwrite(place: Place, text: string): Promise<void> {
    await writeFile(this.#use("overwrite", this.#withFolder(place)), text, { flag: "w" });
  }

  append(place: Place, text: string): void {
    writeFileSync(this.#use("append", this.#withFolder(place)), text, { flag: "a" });
  }

  async breathe(): Promise<void> {
    await Promise.resolve();
  }

  rest(): void {
    // It holds nothing open.
  }

  #withFolder(place: Place): Place {
    mkdirSync(path.dirname(this.#check(place)), { recursive: true });
    return place;
  }

  #use(use: keyof Disk, place: Place): string {
    const file = this.#check(place);
    this.#options.between(use, place);
    return file;
  }

  /** @throws Error when a link is on the way */
  #check(place: Place): string {
    const file = this.#pathOf(place);
    const root = this.#rootOf(place);
    for (let folder = path.dirname(file); folder.startsWith(root); folder = path.dirname(folder))
      if (lstatSync(folder, { throwIfNoEntry: false })?.isSymbolicLink() === true)
        throw Object.assign(new Error(`${folder} is a link.`), { code: "ENOTDIR" });
    return file;
  }

  #pathOf(place: Place): string {
    return path.join(this.#rootOf(place), place.path);
  }

  #rootOf({ area }: Place): string {
    return area === "tree" ? this.#options.tree : this.#options.store;
  }
}

function toSeen(stats: BigIntStats): Seen {
  const bytes = `${stats.ino}:${stats.size}:${stats.mtimeNs}`;
  return {
    kind: kindOf(stats),
    size: Number(stats.size),
    executable: (stats.mode & 0o100n) !== 0n,
    bytes,
    version: `${bytes}:${stats.ctimeNs}`,
    isExact: false,
    changedMs: Number(stats.ctimeNs / 1_000_000n),
  };
}

function kindOf(found: Pick<BigIntStats, "isFile" | "isSymbolicLink" | "isDirectory">): Kind {
  if (found.isFile()) return "file";
  if (found.isSymbolicLink()) return "link";
  return found.isDirectory() ? "folder" : "other";
}

function orNothing<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    // Nothing stands there, or something else.
    return undefined;
  }
}

function isDone(work: () => void): boolean {
  return (
    orNothing(() => {
      work();
      return true;
    }) === true
  );
}
