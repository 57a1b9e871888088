import { createHash } from "node:crypto";

import type { Clock } from "../base/clock.ts";
import type { Problem } from "../base/problem.ts";
import {
  type Batch,
  MOST_BATCH_BYTES,
  MOST_BATCH_PARTS,
  packBatch,
  type Part,
  unpackBatch,
} from "./batch.ts";
import { isPlainPath } from "./core/paths.ts";
import type { Plan } from "./core/plan.ts";
import { type Disk, inStore, inTree, type Place, type Writing } from "./disk.ts";
import { isLeftOut } from "./left-out.ts";
import { changedMeanwhile, syncOutside, wireBroken } from "./problems.ts";
import type { Changes, Look, LookOptions } from "./side.ts";
import type { StagingRoom } from "./staging-room.ts";
import { type Hints, TreeSide } from "./tree-side.ts";
import type { LookReply, WiredApplied, WiredChanges, WiredProblems } from "./wire.ts";

export type ServedOptions = {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly hints: Hints;
  /** Names the two sides. */
  readonly pair: string;
  /** Where the store is, for people. */
  readonly store: string;
  readonly room: Pick<StagingRoom, "take" | "clear">;
};

/** Part of a file that is staged while its parts come. */
type Staging = { readonly path: string; readonly writing: Writing; readonly offset: number };
type Asking = {
  readonly names: readonly string[];
  readonly answer: (ignored: ReadonlySet<string>) => void;
};

/** A tree of this machine as it is served to whoever is at the other end of a wire, who is told and trusted as little as will do. */
export class ServedSide {
  readonly #options: ServedOptions;
  readonly #side: TreeSide;
  /** What was told of at a look: nothing else of the tree is given away. */
  readonly #told = new Set<string>();
  /** One at a time, so that nobody can hold many files open. */
  #staging: Staging | undefined;
  #reading: Reading | undefined;
  /** A look that has asked, and waits for the answer. */
  #asking: PromiseWithResolvers<Asking> = Promise.withResolvers();
  #asked: Asking | undefined;
  #looking: Promise<Look> | undefined;

  /** @throws `sync_unreadable` */
  constructor(options: ServedOptions) {
    this.#options = options;
    this.#side = new TreeSide(options);
  }

  async open(): Promise<{ readonly identity: string; readonly recovered: WiredChanges }> {
    this.#clearIncoming();
    const recovered = await this.#side.recover();
    return { identity: await this.#side.identify(), recovered: fromChanges(recovered) };
  }

  async look(scope: LookOptions["scope"]): Promise<LookReply> {
    this.#asked?.answer(new Set());
    await this.#looking?.catch(() => undefined); // Whoever began it hears of it no more.
    this.#asking = Promise.withResolvers();
    this.#looking = this.#side.look({
      scope,
      findIgnored: async (names) => this.#ask(names),
    });
    return this.#reply();
  }

  async answer(ignored: readonly string[]): Promise<LookReply> {
    if (this.#asked === undefined) throw wireBroken("nothing was asked");
    const { names, answer } = this.#asked;
    this.#asked = undefined;
    const asked = new Set(names);
    answer(new Set(ignored.filter((name) => asked.has(name))));
    return this.#reply();
  }

  async read(wants: readonly { readonly path: string; readonly offset: number }[]): Promise<Batch> {
    const parts: Part[] = [];
    let bytes = 0;
    for (const { path, offset } of wants) {
      if (!this.#told.has(path)) throw changedMeanwhile(path);
      const part = this.#readPart({ path, offset }, MOST_BATCH_BYTES - bytes);
      parts.push(part);
      bytes += part.bytes.length;
      if (bytes >= MOST_BATCH_BYTES || parts.length >= MOST_BATCH_PARTS) break;
    }
    this.#options.disk.rest();
    return packBatch(parts);
  }

  async stage(batch: Batch): Promise<void> {
    const parts = await unpackBatch(batch);
    if (parts === undefined) throw wireBroken("a batch is not what it says");
    await this.#options.room.take(parts.reduce((sum, { bytes }) => sum + bytes.length, 0));
    try {
      for (const part of parts) this.#stagePart(part);
    } finally {
      this.#options.disk.rest();
    }
  }

  async apply(plan: Plan): Promise<WiredApplied> {
    const { disk } = this.#options;
    const read = (path: string): Iterable<Uint8Array> => disk.read(this.#stagedPlace(path));
    try {
      const { done, left, displaced } = await this.#side.apply(plan, { read });
      for (const [path, entry] of done) this.#tell(path, entry);
      return { done: fromChanges(done), left: fromProblems(left), displaced };
    } finally {
      this.#clearIncoming();
    }
  }

  commit(): Promise<void> {
    return this.#side.commit();
  }

  close(): void {
    this.#asked?.answer(new Set());
    this.#readOn(undefined);
    this.#clearIncoming();
  }

  #ask(names: readonly string[]): Promise<ReadonlySet<string>> {
    const { promise, resolve } = Promise.withResolvers<ReadonlySet<string>>();
    this.#asking.resolve({ names, answer: resolve });
    return promise;
  }

  /** Whichever comes first: a question, or the end. */
  async #reply(): Promise<LookReply> {
    const looking = this.#looking;
    if (looking === undefined) throw wireBroken("no look is under way");
    const come = await Promise.race([looking, this.#asking.promise]);
    if ("names" in come) {
      this.#asked = come;
      this.#asking = Promise.withResolvers();
      return { kind: "ask", names: come.names };
    }
    this.#looking = undefined;
    for (const [path, entry] of come.changes) this.#tell(path, entry);
    const { isPartial } = come;
    return {
      kind: "look",
      changes: fromChanges(come.changes),
      unknown: fromProblems(come.unknown),
      isPartial,
    };
  }

  #tell(path: string, entry: unknown): void {
    if (entry === undefined) this.#told.delete(path);
    else this.#told.add(path);
  }

  /** A large file is read on from where it was left. */
  #readPart(
    { path, offset }: { readonly path: string; readonly offset: number },
    most: number,
  ): Part {
    const known = this.#reading;
    const isNext = known?.path === path && known.offset === offset;
    const reading = isNext ? known : new Reading(this.#options.disk, path, offset);
    const bytes = reading.take(most);
    const isEnd = bytes.length < most;
    this.#readOn(isEnd ? undefined : reading);
    return { path, offset, bytes, isEnd };
  }

  #readOn(reading: Reading | undefined): void {
    if (this.#reading !== reading) this.#reading?.close();
    this.#reading = reading;
  }

  #stagePart({ path, offset, bytes, isEnd }: Part): void {
    if (!isPlainPath(path) || path.split("/").some(isLeftOut)) throw syncOutside(path);
    const { disk } = this.#options;
    const place = this.#stagedPlace(path);
    if (offset === 0) {
      this.#endStaging();
      disk.remove(place);
      this.#staging = { path, writing: disk.write(place, false), offset: 0 };
    }
    const staging = this.#staging;
    if (staging?.path !== path || staging.offset !== offset) throw wireBroken("a part is missing");
    if (bytes.length > 0) staging.writing.write(bytes);
    this.#staging = { ...staging, offset: offset + bytes.length };
    if (isEnd) this.#endStaging();
  }

  #endStaging(): void {
    this.#staging?.writing.close();
    this.#staging = undefined;
  }

  #clearIncoming(): void {
    const { disk, room } = this.#options;
    room.clear();
    this.#endStaging();
    for (const { name } of disk.list(inStore(this.#incoming)) ?? [])
      disk.remove(inStore(`${this.#incoming}/${name}`));
    disk.rest();
  }

  /** A folder of the store for what comes from this other side. */
  get #incoming(): string {
    return `incoming-${this.#options.pair}`;
  }

  /** By what it is of, whatever that is called. */
  #stagedPlace(path: string): Place {
    return inStore(`${this.#incoming}/${createHash("sha256").update(path).digest("hex")}`);
  }
}

/** A file that is read piece by piece. */
class Reading {
  readonly path: string;
  offset = 0;
  readonly #parts: Iterator<Uint8Array, unknown>;
  #rest = new Uint8Array(0);

  constructor(disk: Disk, path: string, offset: number) {
    this.path = path;
    this.#parts = disk.read(inTree(path))[Symbol.iterator]();
    while (
      this.offset < offset &&
      this.take(Math.min(offset - this.offset, MOST_BATCH_BYTES)).length > 0
    );
  }

  /** What is not read to its end would stay open. */
  close(): void {
    this.#parts.return?.();
  }

  /** So many bytes; fewer at its end alone. */
  take(most: number): Uint8Array {
    const taken: Uint8Array[] = [];
    let size = 0;
    while (size < most) {
      if (this.#rest.length === 0 && !this.#fill()) break;
      const part = this.#rest.subarray(0, most - size);
      this.#rest = this.#rest.subarray(part.length);
      taken.push(part);
      size += part.length;
    }
    this.offset += size;
    return Buffer.concat(taken);
  }

  /** False: there is no more. What is read next may come in the same memory. */
  #fill(): boolean {
    const step = this.#parts.next();
    if (step.done === true) return false;
    this.#rest = Uint8Array.from(step.value);
    return true;
  }
}

function fromChanges(changes: Changes): WiredChanges {
  return [...changes].map(([path, entry]) => [path, entry ?? null]);
}

function fromProblems(problems: ReadonlyMap<string, Problem>): WiredProblems {
  return [...problems].map(([path, problem]) => [path, problem.toFields()]);
}
