import { createHash, randomUUID } from "node:crypto";

import {
  type Bulk,
  type CopiedAhead,
  type Disk,
  type Examined,
  type FileNames,
  inStore,
  inTree,
  type Place,
  type Placed,
  type Seen,
  type StampedFolder,
} from "../../src/sync/disk/disk.ts";
import { stampFolder } from "../../src/sync/disk/folder-stamp.ts";
import { changedMeanwhile } from "../../src/sync/disk/problems.ts";
import { joinPath } from "../../src/sync/side/listed-names.ts";

/** Disks whose files are lent at the moment. */
const lenders = new Map<string, Disk>();

/** Many things at once on a disk in memory: one after another, so that somebody may act between any two calls. */
export class MemoryBulk implements Bulk {
  readonly few = 2;
  readonly many = 2;
  readonly #disk: Disk;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  async examine(files: Parameters<Bulk["examine"]>[0]): ReturnType<Bulk["examine"]> {
    return files.map(({ path, version }) => settle(() => this.#examine(path, version)));
  }

  async survey(folders: Parameters<Bulk["survey"]>[0]): ReturnType<Bulk["survey"]> {
    const found = folders.map((folder) => settle(() => this.#isAsStamped(folder)));
    return found.flatMap((one, index) => (one.status === "fulfilled" && one.value ? [index] : []));
  }

  async lend<T>(paths: readonly string[], work: (files: FileNames) => Promise<T>): Promise<T> {
    const name = randomUUID();
    lenders.set(name, this.#disk);
    return work(paths.map((path) => `${name}/${path}`)).finally(() => lenders.delete(name));
  }

  async copy(copies: Parameters<Bulk["copy"]>[0]): ReturnType<Bulk["copy"]> {
    return copies.map((copy) => settle(() => this.#copy(copy)));
  }

  async copyAhead(copies: Parameters<Bulk["copyAhead"]>[0]): ReturnType<Bulk["copyAhead"]> {
    return copies.map((copy) => settle(() => this.#copyAhead(copy)));
  }

  async place(moves: Parameters<Bulk["place"]>[0]): ReturnType<Bulk["place"]> {
    return moves.map((move) => settle(() => this.#place(move)));
  }

  async exchange(moves: Parameters<Bulk["exchange"]>[0]): ReturnType<Bulk["exchange"]> {
    return moves.map((move) => settle(() => this.#exchange(move)));
  }

  async keep(moves: Parameters<Bulk["keep"]>[0]): ReturnType<Bulk["keep"]> {
    return moves.map((move) => settle(() => this.#keep(move)));
  }

  #keep({ from, to, bytes, executable }: Parameters<Bulk["keep"]>[0][number]): void {
    const seen = this.#disk.see(inStore(from));
    const isAsKnown = seen?.bytes === bytes && seen.executable === executable;
    if (!isAsKnown || !this.#disk.link(inStore(from), inStore(to))) throw changedMeanwhile(to);
    this.#disk.remove(inStore(from));
  }

  #isAsStamped({ path, stamp, left }: StampedFolder): boolean {
    const all = this.#disk.list(inTree(path)) ?? [];
    const versionOf = (name: string): string | null =>
      left.includes(name) ? null : (this.#disk.see(inTree(joinPath(path, name)))?.version ?? null);
    return stampFolder(all, versionOf) === stamp;
  }

  #examine(path: string, version: string | null): Examined {
    const seen = this.#disk.see(inTree(path));
    if (seen !== undefined && seen.version === version) return { kind: "same" };
    if (seen?.kind !== "file") return { kind: "other" };
    const hash = this.#hash(inTree(path));
    const isStill = this.#disk.see(inTree(path))?.version === seen.version;
    return isStill ? { kind: "file", seen, hash } : { kind: "other" };
  }

  #hash(place: Place): string {
    const hash = createHash("sha256");
    for (const part of this.#disk.read(place)) hash.update(part);
    return hash.digest("hex");
  }

  #copyAhead(copy: Parameters<Bulk["copyAhead"]>[0][number]): CopiedAhead | null {
    const { from, to, version } = copy;
    const seen = findLent(from)?.see();
    if (seen?.kind !== "file" || seen.version === version || seen.size > copy.mostBytes)
      return null;
    const hash = this.#copy({ from, to, executable: seen.executable });
    const made = this.#disk.see(inStore(to));
    if (made !== undefined && findLent(from)?.see()?.version === seen.version)
      return { seen, hash, copy: made.bytes };
    this.#disk.remove(inStore(to));
    return null;
  }

  #copy({ from, to, executable }: Parameters<Bulk["copy"]>[0][number]): string {
    const parts = findLent(from)?.read() ?? [];
    const writing = this.#disk.write(inStore(to), executable);
    for (const part of parts) writing.write(part);
    return this.#hash(inStore(to));
  }

  #exchange({ from, to, version }: Parameters<Bulk["exchange"]>[0][number]): Placed {
    const before = this.#disk.see(inStore(from));
    const isKnown = this.#disk.see(inTree(to))?.version === version;
    if (!isKnown || this.#disk.exchange(inStore(from), inTree(to)) !== "done")
      throw changedMeanwhile(to);
    const after = settle(() => this.#disk.see(inTree(to)));
    return { before, after: after.status === "fulfilled" ? after.value : undefined };
  }

  #place({ from, to }: Parameters<Bulk["place"]>[0][number]): Placed {
    const before = this.#disk.see(inStore(from));
    if (!this.#disk.link(inStore(from), inTree(to))) throw changedMeanwhile(to);
    this.#disk.remove(inStore(from));
    return { before, after: this.#disk.see(inTree(to)) };
  }
}

function findLent(
  name: string,
): { see(): Seen | undefined; read(): Iterable<Uint8Array> } | undefined {
  const at = name.indexOf("/");
  const [disk, place] = [lenders.get(name.slice(0, at)), inTree(name.slice(at + 1))];
  return disk && { see: () => disk.see(place), read: () => disk.read(place) };
}

/** What concerns one file alone; a crash concerns all. */
function settle<T>(work: () => T): PromiseSettledResult<T> {
  try {
    return { status: "fulfilled", value: work() };
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error)) throw error;
    return { status: "rejected", reason: error };
  }
}
