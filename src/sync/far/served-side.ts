import type { Clock } from "../../base/clock.ts";
import type { Problem } from "../../base/problem.ts";
import type { Piece } from "../core/plan-patch.ts";
import type { Plan } from "../core/plan.ts";
import { type Disk, inTree } from "../disk/disk.ts";
import { PiecemealReading } from "../disk/piecemeal-reading.ts";
import { changedMeanwhile, wireBroken } from "../disk/problems.ts";
import type { KeptHashes } from "../side/kept-hashes.ts";
import type { Changes, Look, LookOptions } from "../side/side.ts";
import { type Hints, TreeSide } from "../side/tree-side.ts";
import {
  type Batch,
  type BytesPart,
  MOST_BATCH_BYTES,
  MOST_BATCH_PARTS,
  packBatch,
  type Part,
  unpackBatch,
} from "./batch.ts";
import { Incoming } from "./incoming.ts";
import { cutPieces, LARGE_BYTES } from "./pieces.ts";
import type { StagingRoom } from "./staging-room.ts";
import type {
  LookReply,
  Want,
  WiredApplied,
  WiredChanges,
  WiredOpened,
  WiredProblems,
} from "./wire.ts";

export type ServedOptions = {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly hints: Hints;
  readonly hashes?: KeptHashes | undefined;
  /** Names the two sides. */
  readonly pair: string;
  /** Where the store is, for people. */
  readonly store: string;
  readonly room: Pick<StagingRoom, "take" | "giveBack" | "clear">;
};

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
  readonly #incoming: Incoming;
  #reading: PiecemealReading | undefined;
  /** A look that has asked, and waits for the answer. */
  #asking: PromiseWithResolvers<Asking> = Promise.withResolvers();
  #asked: Asking | undefined;
  #looking: Promise<Look> | undefined;

  /** @throws `sync_unreadable` */
  constructor(options: ServedOptions) {
    this.#options = options;
    this.#side = new TreeSide(options);
    const { disk, room, pair } = options;
    this.#incoming = new Incoming({ disk, room, folder: `incoming-${pair}` });
  }

  async open(): Promise<WiredOpened> {
    this.#incoming.clear();
    const recovered = await this.#side.recover();
    const identity = await this.#side.identify();
    return { identity, recovered: fromChanges(recovered), takesOver: true };
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

  async read(wants: readonly Want[]): Promise<Batch> {
    const parts: Part[] = [];
    let bytes = 0;
    for (const { path, offset, size = MOST_BATCH_BYTES } of wants) {
      this.#requireTold(path);
      const part = this.#readPart({ path, offset }, Math.min(size, MOST_BATCH_BYTES - bytes));
      parts.push(part);
      bytes += part.bytes.length;
      if (bytes >= MOST_BATCH_BYTES || parts.length >= MOST_BATCH_PARTS) break;
    }
    this.#options.disk.rest();
    return packBatch(parts);
  }

  async pieces(path: string): Promise<readonly Piece[] | null> {
    this.#requireTold(path);
    const { disk } = this.#options;
    try {
      const seen = disk.see(inTree(path));
      if (seen?.kind !== "file" || seen.size < LARGE_BYTES) return null;
      const pieces = await cutPieces(disk.read(inTree(path)));
      if (disk.see(inTree(path))?.version !== seen.version) throw changedMeanwhile(path);
      this.#incoming.mayCopy(path, seen.version);
      return pieces;
    } finally {
      disk.rest();
    }
  }

  async stage(batch: Batch): Promise<void> {
    const parts = await unpackBatch(batch);
    if (parts === undefined) throw wireBroken("a batch is not what it says");
    await this.#incoming.take(parts);
  }

  async apply(plan: Plan): Promise<WiredApplied> {
    const read = (path: string): Iterable<Uint8Array> => this.#incoming.read(path);
    try {
      const { done, left, displaced } = await this.#side.apply(plan, { read });
      for (const [path, entry] of done) this.#tell(path, entry);
      return { done: fromChanges(done), left: fromProblems(left), displaced };
    } finally {
      this.#incoming.clear();
    }
  }

  commit(): Promise<void> {
    return this.#side.commit();
  }

  close(): void {
    this.#asked?.answer(new Set());
    this.#readOn(undefined);
    this.#incoming.clear();
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

  #requireTold(path: string): void {
    if (!this.#told.has(path)) throw changedMeanwhile(path);
  }

  /** A large file is read on from where it was left. */
  #readPart(
    { path, offset }: { readonly path: string; readonly offset: number },
    most: number,
  ): BytesPart {
    const known = this.#reading;
    const isNext = known?.path === path && known.offset === offset;
    const reading = isNext ? known : new PiecemealReading(this.#options.disk, path, offset);
    const bytes = reading.take(most);
    const isEnd = bytes.length < most;
    this.#readOn(isEnd ? undefined : reading);
    return { path, offset, bytes, isEnd };
  }

  #readOn(reading: PiecemealReading | undefined): void {
    if (this.#reading !== reading) this.#reading?.close();
    this.#reading = reading;
  }
}

function fromChanges(changes: Changes): WiredChanges {
  return [...changes].map(([path, entry]) => [path, entry ?? null]);
}

function fromProblems(problems: ReadonlyMap<string, Problem>): WiredProblems {
  return [...problems].map(([path, problem]) => [path, problem.toFields()]);
}
