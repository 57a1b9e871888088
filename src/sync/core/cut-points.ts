/** casync's: what has changed costs a piece or two, and what tells of all of them is a 2,000th of a file. */
export const USUAL_PIECE_BYTES = 64 * 1024;
export const LEAST_PIECE_BYTES = USUAL_PIECE_BYTES / 4;
export const MOST_PIECE_BYTES = USUAL_PIECE_BYTES * 4;

/** A piece may end where these bits of the hash are 0. Its highest, as those are made of the most bytes. */
const SELDOM = highestBits(18);
const OFTEN = highestBits(14);
/** A number for each byte. Two machines with other numbers would find nothing in common. */
const GEAR = Int32Array.from({ length: 256 }, (_, byte) => scramble(byte + 1));

/**
 * Finds where files are to be cut into pieces, by what they hold alone: an insertion moves no cut but those beside it. This is
 * FastCDC (Xia and others, USENIX ATC 2016): a hash that forgets what lies 32 bytes back, and a cut for which
 * two bits more are asked before the usual size, two fewer behind it.
 */
export class CutPoints {
  readonly #gear = { hash: 0 };
  /** Of the piece that has not ended. */
  #size = 0;

  /** The ends of pieces in these bytes, which follow those of the last call. */
  find(bytes: Uint8Array): readonly number[] {
    return [...this.#listEnds(bytes)];
  }

  *#listEnds(bytes: Uint8Array): Generator<number> {
    let start = -this.#size;
    for (const { end, isSeldom } of findOften(bytes, this.#gear)) {
      for (; end - start > MOST_PIECE_BYTES; start += MOST_PIECE_BYTES)
        yield start + MOST_PIECE_BYTES;
      if (end - start < (isSeldom ? LEAST_PIECE_BYTES : USUAL_PIECE_BYTES)) continue;
      yield end;
      start = end;
    }
    for (; bytes.length - start >= MOST_PIECE_BYTES; start += MOST_PIECE_BYTES)
      yield start + MOST_PIECE_BYTES;
    this.#size = bytes.length - start;
  }
}

type Place = { readonly end: number; readonly isSeldom: boolean };

/** Wherever the hash has zeros. A loop of nothing else: with more in it the engine makes slower code of it. */
function findOften(bytes: Uint8Array, gear: { hash: number }): readonly Place[] {
  const places: Place[] = [];
  let { hash } = gear;
  for (let at = 0; at < bytes.length; at += 1) {
    hash = ((hash << 1) + (GEAR[bytes[at] ?? 0] ?? 0)) | 0;
    if ((hash & OFTEN) === 0) places.push({ end: at + 1, isSeldom: (hash & SELDOM) === 0 });
  }
  gear.hash = hash;
  return places;
}

function highestBits(count: number): number {
  return -1 << (32 - count);
}

/** The last step of MurmurHash3. */
function scramble(number: number): number {
  let bits = number;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}
