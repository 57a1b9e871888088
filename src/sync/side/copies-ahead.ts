import type { Clock } from "../../base/clock.ts";
import { forEachParallel } from "../../base/for-each-parallel.ts";
import { hasErrorCode } from "../../base/problem.ts";
import {
  type CopiedAhead,
  type Disk,
  type FileNames,
  inStore,
  type KeptFile,
} from "../disk/disk.ts";
import { THREADS } from "../disk/file-threads.ts";
import { sliceMany } from "../disk/slice-many.ts";
import type { ReadAhead } from "./read-ahead.ts";
import { type Step, stagedAt } from "./take-step.ts";

type Copied = CopiedAhead & {
  /** Of the store. */
  readonly place: string;
  readonly readAtMs: number;
};

export type CopiesAheadOptions = {
  /** Whose files are copied, and who gets them. */
  readonly from: Disk;
  readonly to: Disk;
  readonly clock: Clock;
  /** Names the two sides. */
  readonly pair: string;
};

/** A folder of the store: nothing in it is anybody's but a copy. */
const FOLDER = "ahead";
/** When git is done nobody waits for more. */
const SLICE = 32;
const MOST_IN_FOLDER = 64;
const MOST_FILE_BYTES = 1 << 20;
/** So many bytes are made again in a second. */
const MOST_BYTES = 64 << 20;
/** Some disks count time in steps of so long: a change may hide behind the one before it. */
const RACY_MS = 2_000;

/**
 * Copies of one side's files on the other's disk, made while git is still changing that side: what it has written by then
 * need neither be read nor copied when it is done. No more than a cache: a look finds out what is so, and a copy is used
 * for what it holds alone.
 */
export class CopiesAhead {
  readonly #from: Disk;
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #folder: string;
  /** By path. */
  readonly #copied = new Map<string, Copied>();
  #count = 0;
  #bytes = 0;
  #isFull = false;
  /** A crash may have left some. */
  #isCleared = false;

  constructor({ from, to, clock, pair }: CopiesAheadOptions) {
    this.#from = from;
    this.#disk = to;
    this.#clock = clock;
    this.#folder = `${FOLDER}/${pair}`;
  }

  /** Copies those of these files that have changed since they were copied, as long as it may go on. */
  async copy(paths: readonly string[], mayGoOn: () => boolean): Promise<void> {
    try {
      // One thread: git has the other processor of the smallest machine.
      for (const slice of sliceMany(paths, 1, SLICE)) {
        if (this.#isFull || this.#bytes > MOST_BYTES || !mayGoOn()) return;
        this.#isCleared = false;
        await this.#from.bulk?.lend(slice, async (files) => this.#copySlice(slice, files));
      }
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      await this.#makeRoom();
    } finally {
      this.#from.rest();
      this.#disk.rest();
    }
  }

  /** What is known of a file, if it is of that version; undefined: nothing, or another change of it might not show. */
  recall(path: string): ReadAhead | undefined {
    const copied = this.#copied.get(path);
    if (copied === undefined) return undefined;
    const { seen, hash, readAtMs } = copied;
    const isSure = seen.isExact || readAtMs - seen.changedMs >= RACY_MS;
    const examined = { kind: "file", seen, hash } as const;
    return isSure ? { version: seen.version, readAtMs, examined } : undefined;
  }

  /** Puts aside for these steps what was copied of what they are to put. Resolves with those for which it is there. */
  async stage(steps: readonly Step[]): Promise<ReadonlySet<Step>> {
    const staged = new Set<Step>();
    const moves = steps.flatMap((step) => {
      const file = this.#findFor(step);
      return file === undefined ? [] : [{ step, file }];
    });
    await forEachParallel(sliceMany(moves, 1), THREADS + 1, async (slice) => {
      const results = (await this.#disk.bulk?.keep(slice.map(({ file }) => file))) ?? [];
      for (const [index, { step }] of slice.entries())
        if (results[index]?.status === "fulfilled") staged.add(step);
    });
    return staged;
  }

  /** Removes what was not used, and what a crash has left of it. */
  async clear(): Promise<void> {
    if (this.#isCleared) return;
    this.#isCleared = true;
    this.#copied.clear();
    this.#bytes = 0;
    this.#isFull = false;
    for (const folder of this.#list(this.#folder)) {
      for (const place of this.#list(folder)) {
        this.#disk.remove(inStore(place));
        await this.#disk.breathe();
      }
      this.#disk.removeFolder(inStore(folder));
    }
    this.#disk.rest();
  }

  async #copySlice(paths: readonly string[], files: FileNames): Promise<void> {
    const { bulk } = this.#disk;
    const readAtMs = this.#clock.now();
    const copies = paths.map((path, index) => ({
      from: files[index] ?? "",
      to: this.#nameNext(),
      version: this.#copied.get(path)?.seen.version ?? null,
      mostBytes: MOST_FILE_BYTES,
    }));
    const results = (await bulk?.copyAhead(copies)) ?? [];
    for (const [index, result] of results.entries()) {
      if (result.status === "rejected" && isDiskFull(result.reason)) throw result.reason;
      const [path, copy] = [paths[index], copies[index]];
      if (result.status === "rejected" || result.value === null) continue;
      if (path !== undefined && copy !== undefined)
        this.#note(path, { ...result.value, place: copy.to, readAtMs });
    }
  }

  #nameNext(): string {
    const folder = Math.trunc(this.#count / MOST_IN_FOLDER);
    this.#count += 1;
    return `${this.#folder}/${folder}/${this.#count}`;
  }

  #note(path: string, copied: Copied): void {
    const before = this.#copied.get(path);
    if (before !== undefined) this.#disk.remove(inStore(before.place));
    this.#copied.set(path, copied);
    this.#bytes += copied.seen.size - (before?.seen.size ?? 0);
  }

  /** What a full disk has room for is not ours: until the next time nothing more is copied. */
  async #makeRoom(): Promise<void> {
    await this.clear();
    this.#isCleared = false;
    this.#isFull = true;
  }

  #findFor({ path, entry, aside }: Step): KeptFile | undefined {
    const copied = this.#copied.get(path);
    if (copied === undefined || entry?.kind !== "file" || copied.hash !== entry.hash)
      return undefined;
    const { place: from, copy: bytes, seen } = copied;
    const isAlike = seen.executable === entry.executable;
    return isAlike
      ? { from, to: stagedAt(aside).path, bytes, executable: entry.executable }
      : undefined;
  }

  #list(folder: string): readonly string[] {
    return (this.#disk.list(inStore(folder)) ?? []).map(({ name }) => `${folder}/${name}`);
  }
}

function isDiskFull(error: unknown): boolean {
  return hasErrorCode(error, "ENOSPC", "EDQUOT");
}
