import { type Piece, planPatch, type Stretch } from "../core/plan-patch.ts";
import type { Range } from "../disk/disk.ts";
import { changedMeanwhile, wireBroken } from "../disk/problems.ts";
import type { Standing } from "../side/standing.ts";
import { type BytesPart, MOST_BATCH_BYTES, unpackBatch } from "./batch.ts";
import type { FarPieces } from "./far-pieces.ts";
import { cutPieces, hashPiece } from "./pieces.ts";
import type { Wire } from "./wire.ts";

const MOST_AHEAD = 500;

type Want = Parameters<Wire["read"]>[0][number];

/** Reads files far away: small ones together, and of large ones what this side does not have. */
export class FarReader {
  readonly #wire: Wire;
  readonly #pieces: FarPieces;
  readonly #likely: () => readonly string[];
  #ahead = new Map<string, Uint8Array>();

  /** @param likely what is likely to be asked for, in that order */
  constructor(wire: Wire, pieces: FarPieces, likely: () => readonly string[]) {
    this.#wire = wire;
    this.#pieces = pieces;
    this.#likely = likely;
  }

  /** @param here what stands on this side in its place */
  async *read(path: string, here?: Standing): AsyncGenerator<Uint8Array> {
    const ahead = this.#ahead.get(path);
    if (ahead !== undefined) {
      this.#ahead.delete(path);
      yield ahead;
      return;
    }
    const pieces = here === undefined ? null : await this.#pieces.find(path, here);
    if (here === undefined || pieces === null) yield* this.#readWhole(path);
    else yield* this.#patch({ path, pieces }, here);
  }

  /** What turns out not to be here any more is asked for like what never was. */
  async *#patch(
    { path, pieces }: { readonly path: string; readonly pieces: readonly Piece[] },
    here: Standing,
  ): AsyncGenerator<Uint8Array> {
    const stretches = planPatch(pieces, (await cutPieces(here.read())) ?? []);
    const missing = stretches.filter(({ from }) => from === null);
    const ranges = new FarRanges(async (wants) => this.#ask(wants), path, missing);
    for (const [index, { offset, size, from }] of stretches.entries()) {
      const own = from === null ? undefined : readOwn(here, { offset: from, size });
      const isHere = own !== undefined && hashPiece(own) === pieces[index]?.[1];
      yield isHere ? own : await ranges.take({ offset, size });
    }
  }

  async *#readWhole(path: string): AsyncGenerator<Uint8Array> {
    for (let offset = 0, isEnd = false; !isEnd;) {
      const [first, ...others] = await this.#fetch(path, offset);
      if (first === undefined || first.path !== path || first.offset !== offset)
        throw changedMeanwhile(path);
      yield first.bytes;
      isEnd = first.isEnd;
      if (!isEnd && first.bytes.length === 0) throw wireBroken("a file has no end");
      offset += first.bytes.length;
      if (isEnd) this.#keep(others);
    }
  }

  async #fetch(path: string, offset: number): Promise<readonly BytesPart[]> {
    const likely = this.#likely();
    const after = likely.indexOf(path) + 1;
    const next = after === 0 ? [] : likely.slice(after, after + MOST_AHEAD);
    const others = offset === 0 ? next.map((one) => ({ path: one, offset: 0 })) : [];
    return this.#ask([{ path, offset }, ...others]);
  }

  async #ask(wants: readonly Want[]): Promise<readonly BytesPart[]> {
    const parts = await unpackBatch(await this.#wire.read(wants));
    if (parts === undefined) throw wireBroken("a batch is not what it says");
    return parts.filter((part) => "bytes" in part);
  }

  /** Whole files alone; what nobody asked for in the meantime is forgotten. */
  #keep(parts: readonly BytesPart[]): void {
    const whole = parts.filter(({ offset, isEnd }) => offset === 0 && isEnd);
    this.#ahead = new Map(whole.map(({ path, bytes }) => [path, bytes]));
  }
}

/** Ranges of a file far away, as many in one call as a batch holds. */
class FarRanges {
  readonly #ask: (wants: readonly Want[]) => Promise<readonly BytesPart[]>;
  readonly #path: string;
  readonly #likely: readonly Stretch[];
  #next = 0;
  #ahead = new Map<number, Uint8Array>();

  /** @param likely what is going to be asked for, in that order */
  constructor(
    ask: (wants: readonly Want[]) => Promise<readonly BytesPart[]>,
    path: string,
    likely: readonly Stretch[],
  ) {
    this.#ask = ask;
    this.#path = path;
    this.#likely = likely;
  }

  /** @throws `sync_conflict` */
  async take({ offset, size }: Range): Promise<Uint8Array> {
    if (!this.#ahead.has(offset)) await this.#fetch({ offset, size });
    const bytes = this.#ahead.get(offset);
    this.#ahead.delete(offset);
    if (bytes?.length !== size) throw changedMeanwhile(this.#path);
    return bytes;
  }

  async #fetch(first: Range): Promise<void> {
    const ranges = this.#likely[this.#next]?.offset === first.offset ? this.#takeNext() : [first];
    const path = this.#path;
    const parts = await this.#ask(ranges.map(({ offset, size }) => ({ path, offset, size })));
    for (const part of parts) if (part.path === path) this.#ahead.set(part.offset, part.bytes);
  }

  #takeNext(): readonly Range[] {
    const ranges: Range[] = [];
    let bytes = 0;
    for (; this.#next < this.#likely.length; this.#next += 1) {
      const range = this.#likely[this.#next];
      bytes += range?.size ?? 0;
      if (range === undefined || (ranges.length > 0 && bytes > MOST_BATCH_BYTES)) break;
      ranges.push(range);
    }
    return ranges;
  }
}

function readOwn(here: Standing, range: Range): Uint8Array {
  return Buffer.concat(Array.from(here.read(range), (part) => Uint8Array.from(part)));
}
