import { closeSync, openSync, truncateSync } from "node:fs";
import { appendFile, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { readPieces, reflinkFile, writePiece } from "./copy-bytes.ts";
import { openPlain, pinFile, pinFolder } from "./pinned.ts";
import type { Pinned } from "./pinned.ts";

const PIECE = 256 * 1024;
const MEGABYTE = 4 * PIECE;
let folder = "";
let source = "";
let target = "";

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "ramet-pieces-"));
  source = path.join(folder, "source");
  target = path.join(folder, "target");
});
afterEach(async () => rm(folder, { recursive: true }));

function pinned(file = source): Pinned {
  const pin = pinFile(file);
  if (pin === undefined) throw new Error("It is there.");
  return pin;
}

function copy(meanwhile: () => void = () => undefined): void {
  const from = pinned();
  const fd = openSync(target, "wx");
  try {
    for (const piece of readPieces(from)) {
      writePiece(fd, piece);
      meanwhile();
    }
  } finally {
    closeSync(fd);
    from.close();
  }
}

test.each([0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 7])(
  "%d bytes arrive as they are",
  async (size) => {
    const bytes = Buffer.from(Array.from({ length: 997 }, (_, index) => index % 251));
    await writeFile(source, Buffer.alloc(size, bytes));
    copy();
    expect((await readFile(target)).equals(await readFile(source))).toBe(true);
  },
);

test("a file that shrinks while it is copied ends the copy, and one that grows does not prolong it", async () => {
  await writeFile(source, Buffer.alloc(3 * MEGABYTE, 1));
  copy(() => truncateSync(source, MEGABYTE));
  expect((await readFile(target)).length).toBe(MEGABYTE);
  await rm(target);
  truncateSync(source, PIECE);
  const from = pinned();
  const pieces = readPieces(from);
  const first = pieces.next();
  await appendFile(source, Buffer.alloc(MEGABYTE, 2));
  expect([first.done, pieces.next().done]).toEqual([false, true]);
  from.close();
});

test("blocks are shared, or it is said that they cannot be; a file that is there is not touched", async () => {
  await writeFile(source, "bytes");
  const from = pinned();
  const isShared = reflinkFile(from, target);
  const copied = isShared ? await readFile(target, "utf8") : "bytes";
  expect(copied).toBe("bytes");
  await writeFile(target, "mine");
  expect(() => reflinkFile(from, target)).toThrow(/EEXIST/);
  expect(await readFile(target, "utf8")).toBe("mine");
  from.close();
});

test("a link is no file and no folder, wherever it leads", async () => {
  await symlink(folder, path.join(folder, "to-folder"));
  await writeFile(source, "bytes");
  await symlink(source, path.join(folder, "to-file"));
  expect(pinFolder(path.join(folder, "to-folder"))).toBeUndefined();
  expect(pinFile(path.join(folder, "to-file"))).toBeUndefined();
  expect(openPlain(path.join(folder, "to-file"))).toBeUndefined();
  expect(pinFolder(source)).toBeUndefined();
  expect(openPlain(path.join(folder, "missing"))).toBeUndefined();
});
