/** People who work on both sides of a simulation, and what became of what they wrote. */
import { inTree } from "../../src/sync/disk/disk.ts";
import type { Inode, MemoryDisk } from "./memory-disk.ts";

type Name = "local" | "remote";
type Open = { readonly name: Name; readonly inode: Inode; readonly text: string };

/** Few, so that they meet: files where others have folders among them. */
export const PATHS = ["a", "b", "d", "d/a", "d/b", "d/e/f", "g/h", "g"];

export class People {
  /** What they wrote; and of that, what one of them overwrote or removed where he saw it. */
  readonly written = new Set<string>();
  readonly discarded = new Set<string>();
  readonly #disks: Readonly<Record<Name, MemoryDisk>>;
  readonly #random: () => number;
  readonly #now: () => number;
  #open: Open[] = [];

  constructor(
    disks: Readonly<Record<Name, MemoryDisk>>,
    { random, now }: { readonly random: () => number; readonly now: () => number },
  ) {
    this.#disks = disks;
    this.#random = random;
    this.#now = now;
  }

  /** Writes what was begun. */
  finish(): void {
    for (const one of this.#open.splice(0)) this.#finish(one);
  }

  /** Does one thing, on either side. */
  act(): void {
    const name = this.#pick(["local", "remote"] as const);
    const path = this.#pick(PATHS);
    const acts = [
      () => this.#save(name, path),
      () => this.#begin(name, path),
      () => this.#finish(this.#open.shift()),
      () => this.#finish(this.#open.shift()),
      () => this.#remove(name, path),
      () => this.#rename(name, path, this.#pick(PATHS)),
      () => this.#allowRunning(name, path),
    ];
    this.#pick(acts)();
  }

  /** As editors do: another file takes its place. */
  #save(name: Name, path: string): void {
    if (!this.#isFree(name, path)) return;
    const disk = this.#disks[name];
    this.#discard(disk.find(inTree(path)));
    const inode = disk.make("file");
    disk.put(inTree(path), inode);
    disk.change(inode, this.#newText());
  }

  /** As programs do: it is emptied, and filled a while later. */
  #begin(name: Name, path: string): void {
    if (!this.#isFree(name, path)) return;
    const disk = this.#disks[name];
    const inode = disk.find(inTree(path)) ?? disk.make("file");
    this.discarded.add(inode.text);
    disk.put(inTree(path), inode);
    disk.change(inode, "");
    this.#open.push({ name, inode, text: this.#newText() });
  }

  #finish(one: Open | undefined): void {
    if (one === undefined) return;
    const disk = this.#disks[one.name];
    this.discarded.add(one.inode.text);
    disk.change(one.inode, one.text);
  }

  #remove(name: Name, path: string): void {
    this.#discard(this.#disks[name].find(inTree(path)));
    if (this.#disks[name].find(inTree(path)) !== undefined)
      this.#disks[name].put(inTree(path), undefined);
  }

  #rename(name: Name, from: string, to: string): void {
    const disk = this.#disks[name];
    const inode = disk.find(inTree(from));
    if (inode === undefined || inode.kind === "folder" || !this.#isFree(name, to) || from === to)
      return;
    this.#discard(disk.find(inTree(to)));
    disk.put(inTree(from), undefined);
    disk.put(inTree(to), inode);
  }

  #allowRunning(name: Name, path: string): void {
    const inode = this.#disks[name].find(inTree(path));
    if (inode?.kind !== "file") return;
    inode.executable = !inode.executable;
    inode.changed = this.#now();
  }

  /** Whether a person could write there. */
  #isFree(name: Name, path: string): boolean {
    const disk = this.#disks[name];
    if (disk.find(inTree(path))?.kind === "folder") return false;
    const parents = path.split("/").slice(0, -1);
    return parents.every((_, index) => {
      const parent = disk.find(inTree(parents.slice(0, index + 1).join("/")));
      return parent === undefined || parent.kind === "folder";
    });
  }

  /** Somebody overwrites or removes it, where he sees it: and what is still to be written to it. */
  #discard(inode: Inode | undefined): void {
    if (inode === undefined) return;
    if (inode.kind === "file") this.discarded.add(inode.text);
    for (const one of this.#open) if (one.inode === inode) this.discarded.add(one.text);
    for (const inner of inode.names.values()) this.#discard(inner);
  }

  #newText(): string {
    const text = `text-${this.written.size + 1000}`;
    this.written.add(text);
    return text;
  }

  #pick<T>(choices: readonly T[]): T {
    const picked = choices[Math.floor(this.#random() * choices.length)];
    if (picked === undefined) throw new Error("There is nothing to pick from.");
    return picked;
  }
}
