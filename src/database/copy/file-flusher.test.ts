import { expect, test } from "vitest";

import { FileFlusher, PIECE_BYTES } from "./file-flusher.ts";

/** A disk that is done with a piece when it is told so. */
function createDisk(): { flush: () => Promise<void>; readonly waiting: (() => void)[] } {
  const waiting: (() => void)[] = [];
  const flush = async (): Promise<void> =>
    new Promise((resolve) => {
      waiting.push(resolve);
    });
  return { flush, waiting };
}

async function isDone(work: Promise<unknown>): Promise<boolean> {
  const later = new Promise((resolve) => {
    setImmediate(resolve, "later");
  });
  return (await Promise.race([work.then(() => "done"), later])) === "done";
}

test("a writer is one piece ahead of the disk, and no more", async () => {
  const { flush, waiting } = createDisk();
  const flusher = new FileFlusher(0, flush);
  await flusher.wrote(PIECE_BYTES);
  await flusher.wrote(PIECE_BYTES - 1);
  const second = flusher.wrote(1);
  expect(await isDone(second)).toBe(false);
  expect(waiting).toHaveLength(1);
  waiting[0]?.();
  await second;
  expect(waiting).toHaveLength(2);
});

test("at its end a large file is on the disk whole, and a small one was not asked for", async () => {
  const { flush, waiting } = createDisk();
  const small = new FileFlusher(0, flush);
  await small.wrote(PIECE_BYTES - 1);
  expect(await small.end()).toBe(0);
  const large = new FileFlusher(0, flush);
  await large.wrote(PIECE_BYTES);
  await large.wrote(5);
  const end = large.end();
  waiting[0]?.();
  expect(await isDone(end)).toBe(false);
  waiting[1]?.();
  expect(await end).toBe(PIECE_BYTES + 5);
});

test("a flush that fails fails whoever waits for it", async () => {
  const flusher = new FileFlusher(0, async () => Promise.reject(new Error("EIO")));
  await flusher.wrote(PIECE_BYTES);
  await expect(flusher.wrote(PIECE_BYTES)).rejects.toThrow("EIO");
  await expect(flusher.end()).rejects.toThrow("EIO");
});
