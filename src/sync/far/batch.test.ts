import fc from "fast-check";
import { expect, test } from "vitest";

import { MOST_BATCH_BYTES, MOST_BATCH_PARTS, packBatch, type Part, unpackBatch } from "./batch.ts";

const where = { path: fc.string({ minLength: 1 }), offset: fc.nat(), isEnd: fc.boolean() };
const part = fc.oneof(
  fc.record({ ...where, bytes: fc.uint8Array({ maxLength: 200 }) }),
  fc.record({ ...where, from: fc.nat(), size: fc.maxSafeNat() }),
);

function plain(parts: readonly Part[] | undefined): unknown {
  return parts?.map((one) => ("bytes" in one ? { ...one, bytes: [...one.bytes] } : one));
}

test("what is packed is unpacked as it was, whatever it is", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 30 }), async (parts) => {
      expect(plain(await unpackBatch(await packBatch(parts)))).toEqual(plain(parts));
    }),
  );
});

test("what is alike takes little room", async () => {
  const bytes = new Uint8Array(MOST_BATCH_BYTES).fill(7);
  const { packed } = await packBatch([{ path: "a", offset: 0, bytes, isEnd: true }]);
  expect(packed.length).toBeLessThan(MOST_BATCH_BYTES / 100);
});

test("what cannot be made smaller still goes in one call", async () => {
  const bytes = new Uint8Array(MOST_BATCH_BYTES);
  for (let at = 0; at < bytes.length; at += 65_536)
    crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  const { packed } = await packBatch([{ path: "a", offset: 0, bytes, isEnd: true }]);
  expect(packed.length).toBeLessThan(4_000_000 - 10_000);
});

test("one that says less than it holds, more, or too much is none", async () => {
  const bytes = new Uint8Array(1_000).fill(1);
  const batch = await packBatch([{ path: "a", offset: 0, bytes, isEnd: true }]);
  const saying = (size: number): typeof batch => ({
    ...batch,
    parts: [{ path: "a", offset: 0, size, isEnd: true }],
  });
  for (const size of [0, 0.5, 1, 999, 1_001, MOST_BATCH_BYTES + 1, 1e15])
    expect(await unpackBatch(saying(size))).toBeUndefined();
  expect(await unpackBatch(saying(1_000))).toHaveLength(1);
  const many = Array.from({ length: MOST_BATCH_PARTS + 1 }, () => saying(0).parts).flat();
  expect(await unpackBatch({ parts: many, packed: "" })).toBeUndefined();
  expect(await unpackBatch({ parts: many.slice(1), packed: "" })).toHaveLength(MOST_BATCH_PARTS);
});

test("a small text that would become a huge one is not unpacked", async () => {
  const bytes = new Uint8Array(MOST_BATCH_BYTES * 8);
  const { packed } = await packBatch([{ path: "a", offset: 0, bytes, isEnd: true }]);
  const size = MOST_BATCH_BYTES;
  const parts = [{ path: "a", offset: 0, size, isEnd: true }];
  expect(packed.length).toBeLessThan(10_000);
  expect(await unpackBatch({ parts, packed })).toBeUndefined();
});
