import { createCipheriv } from "node:crypto";

import fc from "fast-check";
import { expect, test } from "vitest";

import { CutPoints, LEAST_PIECE_BYTES, MOST_PIECE_BYTES, USUAL_PIECE_BYTES } from "./cut-points.ts";

const MB = 1024 * 1024;
const RUNS = { numRuns: 20 };

/** Noise, what is made of four letters, and one byte again and again. */
const content = fc
  .tuple(fc.nat(), fc.integer({ min: 0, max: 2 * MB }), fc.constantFrom(0, 3, 255))
  .map(([seed, size, mask]) => noise(seed, size).map((byte) => byte & mask));

/** The same for the same seed, everywhere. */
function noise(seed: number, size: number): Uint8Array {
  const key = Buffer.alloc(16);
  key.writeUInt32LE(seed);
  const bytes = createCipheriv("aes-128-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(size));
  return Uint8Array.from(bytes);
}

/** Where pieces end, if the bytes come in parts of so many. */
function cut(bytes: Uint8Array, partBytes: number): readonly number[] {
  const points = new CutPoints();
  const ends: number[] = [];
  for (let at = 0; at < bytes.length; at += partBytes)
    ends.push(...points.find(bytes.subarray(at, at + partBytes)).map((end) => at + end));
  return ends;
}

function sizesOf(bytes: Uint8Array): readonly number[] {
  const ends = [...cut(bytes, MB), bytes.length];
  return ends.map((end, index) => end - (ends[index - 1] ?? 0));
}

test("pieces follow each other to the end, none above the most, and none but the last below the least", () => {
  fc.assert(
    fc.property(content, (bytes) => {
      const sizes = sizesOf(bytes);
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(bytes.length);
      expect(sizes.slice(0, -1).filter((size) => size < LEAST_PIECE_BYTES)).toEqual([]);
      expect(sizes.filter((size) => size > MOST_PIECE_BYTES)).toEqual([]);
    }),
    RUNS,
  );
});

test("where it is cut is told by the bytes, and not by the parts in which they come", () => {
  fc.assert(
    fc.property(content, fc.integer({ min: 1_000, max: 3 * MB }), (bytes, partBytes) => {
      expect(cut(bytes, partBytes)).toEqual(cut(bytes, MB));
    }),
    RUNS,
  );
});

test("a byte at the front, one in the middle and one less at the end change few pieces of many", () => {
  const before = noise(7, 8 * MB);
  const after = Uint8Array.from([
    1,
    ...before.subarray(0, 4 * MB),
    2,
    ...before.subarray(4 * MB, -1),
  ]);
  const known = new Set(textsOf(before));
  const pieces = textsOf(after);
  expect(pieces.length).toBeGreaterThan(80);
  expect(pieces.filter((piece) => !known.has(piece)).length).toBeLessThanOrEqual(6);
});

function textsOf(bytes: Uint8Array): readonly string[] {
  let end = 0;
  return sizesOf(bytes).map((size) => {
    end += size;
    return Buffer.from(bytes.subarray(end - size, end)).toString("latin1");
  });
}

test("pieces of what is like nothing are of the usual size, and most of them near it", () => {
  const sizes = sizesOf(noise(3, 16 * MB));
  const usual = (16 * MB) / sizes.length / USUAL_PIECE_BYTES;
  expect(usual).toBeGreaterThan(0.8);
  expect(usual).toBeLessThan(1.3);
  const near = sizes.filter((size) => size > USUAL_PIECE_BYTES / 2 && size < USUAL_PIECE_BYTES * 2);
  expect(near.length / sizes.length).toBeGreaterThan(0.7);
});

test("two machines of whatever version cut at the same places", () => {
  expect(cut(noise(1, MB), MB)).toEqual([
    101_646, 179_269, 248_713, 333_765, 372_862, 410_573, 479_141, 545_390, 594_142, 659_809,
    817_768, 894_606, 961_121, 1_048_287,
  ]);
});
