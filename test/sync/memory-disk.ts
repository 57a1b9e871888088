/** A disk in memory, for tests: between any two system calls somebody may act, or the program may die. */
import type { Bulk, Disk, Kind, Listed, Place, Seen, Writing } from "../../src/sync/disk/disk.ts";
import { changedMeanwhile, syncBlocked } from "../../src/sync/disk/problems.ts";
import { FoldedNames } from "./folded-names.ts";
import { MemoryBulk } from "./memory-bulk.ts";

/** A file, link or folder, by whatever names. */
export type Inode = {
  readonly id: number;
  readonly kind: Kind;
  text: string;
  executable: boolean;
  readonly names: Map<string, Inode>;
  modified: number;
  changed: number;
};

export type MemoryDiskOptions = {
  /** Called before each system call. */
  readonly onCall: () => void;
  /** Resolves when others have had their turn; without it they have none. */
  readonly onBreath?: () => Promise<void>;
  /** Told of each folder of the tree in which something happened. */
  readonly onEvent: (folder: string) => void;
  /** Of the disk and the program. */
  readonly now: () => number;
  /** Whether two files can change places; `carelessly`: a copy is kept of what was there, and then it is overwritten. */
  readonly exchanges: "yes" | "no" | "carelessly";
  /** Whether it tells every change from the one before it; else it counts time in steps. */
  readonly isExact?: boolean;
  /** Whether it does many things at once, from two on. */
  readonly hasBulk?: boolean;
  /** Whether names that differ in case alone are one, as on disks of macOS. */
  readonly folds?: boolean;
};

/** It counts time in steps of so long. */
const STEP_MS = 1_000;
/** So much later each change is, where it is exact. */
const TICK_MS = 1e-6;
const ENCODER = new TextEncoder();

export class MemoryDisk implements Disk {
  readonly bulk?: Bulk;
  readonly #options: MemoryDiskOptions;
  readonly #areas: Readonly<Record<Place["area"], Inode>>;
  #lastId = 0;
  #changes = 0;

  constructor(options: MemoryDiskOptions) {
    this.#options = options;
    this.#areas = { tree: this.make("folder"), store: this.make("folder") };
    if (options.hasBulk === true) this.bulk = new MemoryBulk(this);
  }

  identify(): string {
    return String(this.#areas.tree.id);
  }

  see(place: Place): Seen | undefined {
    this.#call();
    const inode = this.find(place);
    return inode === undefined ? undefined : toSeen(inode, this.#options.isExact === true);
  }

  list(folder: Place): readonly Listed[] | undefined {
    this.#call();
    const inode = folder.path === "" ? this.#areas[folder.area] : this.find(folder);
    if (inode?.kind !== "folder") return undefined;
    return [...inode.names].map(([name, { kind }]) => ({ name, kind }));
  }

  readLink(place: Place): string | undefined {
    this.#call();
    const inode = this.find(place);
    return inode?.kind === "link" ? inode.text : undefined;
  }

  *read(place: Place): Generator<Uint8Array> {
    this.#call();
    const inode = this.find(place);
    if (inode?.kind !== "file") return;
    // As on a real disk each part comes in the memory of the one before it.
    const memory = new Uint8Array(ENCODER.encode(inode.text).length);
    const half = inode.text.slice(0, inode.text.length / 2);
    yield memory.subarray(0, ENCODER.encodeInto(half, memory).written);
    this.#call();
    const rest = inode.text.slice(half.length);
    yield memory.subarray(0, ENCODER.encodeInto(rest, memory).written);
  }

  write(place: Place, executable: boolean): Writing {
    this.#call();
    const inode = this.make("file");
    inode.executable = executable;
    this.#parent(place).names.set(nameOf(place), inode);
    return {
      write: (bytes) => {
        this.#call();
        this.change(inode, inode.text + new TextDecoder().decode(bytes));
      },
      close: () => undefined,
    };
  }

  exchange(a: Place, b: Place): "done" | "gone" | "unable" {
    if (this.#options.exchanges === "no") return "unable";
    if (this.#options.exchanges === "carelessly") return this.#overwrite(a, b);
    this.#call();
    const [one, other] = [this.find(a), this.find(b)];
    if (one === undefined || other === undefined) return "gone";
    this.#name(a, other);
    this.#name(b, one);
    return "done";
  }

  link(from: Place, to: Place): boolean {
    this.#call();
    const inode = this.find(from);
    if (inode === undefined) throw changedMeanwhile(from.path);
    return this.#nameUnlessThere(to, inode);
  }

  makeLink(target: string, to: Place): boolean {
    this.#call();
    const inode = this.make("link");
    inode.text = target;
    return this.#nameUnlessThere(to, inode);
  }

  move(from: Place, to: Place): boolean {
    this.#call();
    const inode = this.find(from);
    if (inode === undefined) return false;
    const there = this.find(to);
    if (there !== undefined && (there.kind === "folder") !== (inode.kind === "folder"))
      return false;
    if (there?.kind === "folder" && there.names.size > 0) return false;
    this.#unname(from);
    this.#name(to, inode);
    return true;
  }

  remove(place: Place): void {
    this.#call();
    if (this.find(place)?.kind !== "folder") this.#unname(place);
  }

  removeFolder(folder: Place): boolean {
    this.#call();
    const inode = this.find(folder);
    if (inode?.kind !== "folder" || inode.names.size > 0) return false;
    this.#unname(folder);
    return true;
  }

  makeFolder(folder: Place): void {
    this.#call();
    this.#parent({ ...folder, path: `${folder.path}/x` });
  }

  note(place: Place, text: string): void {
    this.#call();
    const inode = this.make("file");
    this.#name(place, inode);
    inode.text = text.slice(0, text.length / 2);
    this.#call();
    inode.text = text;
  }

  async overwrite(place: Place, text: string): Promise<void> {
    this.#call();
    const inode = this.find(place) ?? this.make("file");
    this.#name(place, inode);
    const half = Math.trunc(text.length / 2);
    const before = inode.text;
    inode.text = text.slice(0, half) + before.slice(half);
    this.#call();
    inode.text = text + before.slice(text.length);
  }

  append(place: Place, text: string): void {
    this.#call();
    const inode = this.find(place) ?? this.make("file");
    this.#name(place, inode);
    inode.text += text.slice(0, text.length / 2);
    this.#call();
    inode.text += text.slice(Math.trunc(text.length / 2));
  }

  rest(): void {
    // It holds nothing open.
  }

  async breathe(): Promise<void> {
    await this.#options.onBreath?.();
  }

  /** From here on without a system call: what a test does itself. */
  find({ area, path }: Place): Inode | undefined {
    let inode: Inode | undefined = this.#areas[area];
    for (const part of path.split("/"))
      inode = inode?.kind === "folder" ? inode.names.get(part) : undefined;
    return inode;
  }

  make(kind: Kind): Inode {
    this.#lastId += 1;
    const now = this.#now();
    return {
      id: this.#lastId,
      kind,
      text: "",
      executable: false,
      names: this.#options.folds === true ? new FoldedNames<Inode>() : new Map<string, Inode>(),
      modified: now,
      changed: now,
    };
  }

  change(inode: Inode, text: string): void {
    inode.text = text;
    inode.modified = this.#now();
    inode.changed = inode.modified;
  }

  /** Gives what stands there another inode, as a rename does; undefined takes the name away. */
  put(place: Place, inode: Inode | undefined): void {
    if (inode === undefined) this.#unname(place);
    else this.#name(place, inode);
  }

  #call(): void {
    this.#options.onCall();
  }

  #now(): number {
    if (this.#options.isExact === true) return this.#options.now() + (this.#changes += TICK_MS);
    return Math.trunc(this.#options.now() / STEP_MS) * STEP_MS;
  }

  /** What check-then-rename comes to: between the copy and the rename somebody may write. */
  #overwrite(a: Place, b: Place): "done" | "gone" {
    this.#call();
    const there = this.find(b);
    if (there === undefined) return "gone";
    const copy = { ...there, id: (this.#lastId += 1) };
    this.#call();
    this.#name(b, this.find(a) ?? there);
    this.#name(a, copy);
    return "done";
  }

  #nameUnlessThere(place: Place, inode: Inode): boolean {
    if (this.find(place) !== undefined) return false;
    this.#name(place, inode);
    return true;
  }

  #name(place: Place, inode: Inode): void {
    this.#parent(place).names.set(nameOf(place), inode);
    inode.changed = this.#now();
    this.#tell(place);
  }

  #unname(place: Place): void {
    const parent = place.path.includes("/") ? this.find(parentOf(place)) : this.#areas[place.area];
    const inode = parent?.names.get(nameOf(place));
    if (inode !== undefined) inode.changed = this.#now();
    parent?.names.delete(nameOf(place));
    this.#tell(place);
  }

  #parent(place: Place): Inode {
    let inode = this.#areas[place.area];
    const way: string[] = [];
    for (const part of place.path.split("/").slice(0, -1)) {
      const next = inode.names.get(part) ?? this.make("folder");
      if (next.kind !== "folder") throw syncBlocked(place.path);
      if (!inode.names.has(part)) this.#tell({ area: place.area, path: [...way, part].join("/") });
      if (!inode.names.has(part)) inode.names.set(part, next);
      way.push(part);
      inode = next;
    }
    return inode;
  }

  #tell({ area, path }: Place): void {
    if (area === "tree") this.#options.onEvent(path.split("/").slice(0, -1).join("/"));
  }
}

function toSeen({ id, kind, text, executable, modified, changed }: Inode, isExact: boolean): Seen {
  const bytes = `${id}:${text.length}:${modified}`;
  return {
    kind,
    size: text.length,
    executable,
    bytes,
    version: `${bytes}:${changed}:${executable}`,
    changedMs: changed,
    isExact,
  };
}

function nameOf({ path }: Place): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function parentOf({ area, path }: Place): Place {
  return { area, path: path.slice(0, path.lastIndexOf("/")) };
}
