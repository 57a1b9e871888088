import { createHash, randomBytes } from "node:crypto";

import { expect, test } from "vitest";

import { MOST_PIECE_BYTES } from "../core/cut-points.ts";
import { cutPieces, hashPiece, MOST_PIECES } from "./pieces.ts";

const MB = 1024 * 1024;

function* partsOf(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

test("each piece has its length and the hash of its bytes, whatever the parts in which they came", async () => {
  const bytes = randomBytes(3 * MB + 1);
  const pieces = (await cutPieces(partsOf(bytes, MB))) ?? [];
  expect(pieces.length).toBeGreaterThan(10);
  expect(await cutPieces(partsOf(bytes, 100_001))).toEqual(pieces);
  let end = 0;
  for (const [size, hash] of pieces) {
    end += size;
    expect(hash).toBe(hashPiece(bytes.subarray(end - size, end)));
  }
  expect(end).toBe(bytes.length);
});

test("a hash of a piece is the beginning of its SHA-256", () => {
  const bytes = Buffer.from("a piece");
  const whole = createHash("sha256").update(bytes).digest("base64url");
  expect(hashPiece(bytes)).toBe(whole.slice(0, 22));
});

test("a file without a byte has no piece, and a small one has one", async () => {
  expect(await cutPieces([])).toEqual([]);
  expect(await cutPieces([new Uint8Array(0)])).toEqual([]);
  expect(await cutPieces([Buffer.from("a")])).toEqual([[1, hashPiece(Buffer.from("a"))]]);
});

test("a file of too many pieces is told as none, long before its end", async () => {
  let read = 0;
  function* endless(): Generator<Uint8Array> {
    const zeros = new Uint8Array(16 * MOST_PIECE_BYTES);
    for (;;) {
      read += zeros.length;
      yield zeros;
    }
  }
  expect(MOST_PIECES).toBeGreaterThan(2 ** 15);
  expect(await cutPieces(endless(), 100)).toBeNull();
  expect(read).toBeLessThan(200 * MOST_PIECE_BYTES);
});
