import { createHash, type Hash } from "node:crypto";

import { CutPoints } from "../core/cut-points.ts";
import type { Piece } from "../core/plan-patch.ts";
import { breathe } from "../disk/breathe.ts";

/** Two batches: for less it is not worth asking what of it is there. */
export const LARGE_BYTES = 4 * 1024 * 1024;
/** Of 16 GB, or of 64 where nothing is found to cut at. What is larger goes as a whole. */
export const MOST_PIECES = 2 ** 18;
/** 128 bits, and four more: that a file is right is told by the hash of all of it. */
const HASH_CHARACTERS = 22;

/** A file that is read part by part, cut into pieces. null: they are too many. */
export async function cutPieces(
  parts: Iterable<Uint8Array>,
  most = MOST_PIECES,
): Promise<readonly Piece[] | null> {
  const points = new CutPoints();
  const pieces: Piece[] = [];
  let rest = new Growing();
  for (const part of parts) {
    let begin = 0;
    for (const end of points.find(part)) {
      pieces.push(rest.add(part.subarray(begin, end)).end());
      rest = new Growing();
      begin = end;
    }
    rest.add(part.subarray(begin));
    if (pieces.length > most) return null;
    await breathe();
  }
  return rest.size === 0 ? pieces : [...pieces, rest.end()];
}

export function hashPiece(bytes: Uint8Array): string {
  return shorten(createHash("sha256").update(bytes));
}

/** A piece while its bytes come. */
class Growing {
  size = 0;
  readonly #hash = createHash("sha256");

  add(bytes: Uint8Array): this {
    this.size += bytes.length;
    this.#hash.update(bytes);
    return this;
  }

  end(): Piece {
    return [this.size, shorten(this.#hash)];
  }
}

function shorten(hash: Hash): string {
  return hash.digest("base64url").slice(0, HASH_CHARACTERS);
}
