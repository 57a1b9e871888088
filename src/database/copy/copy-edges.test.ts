import {
  appendFile,
  chmod,
  link,
  mkdir,
  mkdtemp,
  open,
  readFile,
  readdir,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import os from "node:os";
import path from "node:path";

import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";

import { pinFile } from "../../base/pinned.ts";
import type { Pinned } from "../../base/pinned.ts";
import { removeInside } from "../../base/remove-inside.ts";
import { IS_ROOT, createTestFolder } from "../test-home.ts";
import { copyBytes } from "./copy-file.ts";
import { copyFolder, copyPlainFile } from "./copy-folder.ts";

const MEGABYTE = 1024 * 1024;
const ALL = { skip: () => false, uid: null };
let root: string;
let source: string;
let target: string;

beforeEach(async () => {
  root = await createTestFolder();
  source = path.join(root, "source");
  target = path.join(root, "target");
  await mkdir(source);
  await mkdir(target);
});

afterEach(async () => removeInside(os.tmpdir(), root));

function pin(file: string): Pinned {
  const pinned = pinFile(file);
  if (pinned === undefined) throw new Error("The file is there.");
  return pinned;
}

/** Every file's path and bytes, of a tree. */
async function readTree(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
  const tree: Record<string, string> = {};
  for (const file of files)
    tree[path.relative(folder, file)] = (await readFile(file)).toString("hex");
  return tree;
}

const name = fc.string({
  unit: fc.constantFrom("a", "b", "ä", " ", "\n", "'", "-", "1"),
  minLength: 1,
  maxLength: 4,
});
const trees = fc.dictionary(
  fc
    .array(name, { minLength: 1, maxLength: 3 })
    .map((names) => names.map((one) => `x${one}`).join("/")),
  fc.uint8Array({ maxLength: 300 }),
  { maxKeys: 15 },
);

test("every tree arrives as it was", async () => {
  await fc.assert(
    fc.asyncProperty(trees, async (files) => {
      const folder = await mkdtemp(path.join(root, "run-"));
      const [from, to] = [path.join(folder, "from"), path.join(folder, "to")];
      await mkdir(from);
      await mkdir(to);
      let bytes = 0;
      for (const [file, content] of Object.entries(files))
        bytes += await place(from, file, content);
      const copied = await copyFolder(from, to, ALL);
      expect(await readTree(to)).toEqual(await readTree(from));
      expect(copied.bytes).toBe(bytes);
      await rm(folder, { recursive: true });
    }),
    { numRuns: 30 },
  );
});

/** Writes it unless a folder or a file is in its way; how many bytes there are now more. */
async function place(folder: string, file: string, content: Uint8Array): Promise<number> {
  try {
    await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
    await writeFile(path.join(folder, file), content, { flag: "wx" });
    return content.length;
  } catch {
    // In the way of another.
    return 0;
  }
}

test.each([1, 255, 256, 257, 1023, 1024, 1025, 3000])(
  "a file of %i KB arrives whole, at the edges of the chunks too",
  async (kilobytes) => {
    for (const size of [kilobytes * 1024 - 1, kilobytes * 1024, kilobytes * 1024 + 1]) {
      const bytes = Buffer.from(Array.from({ length: size }, (_, at) => (at * 7) % 251));
      await writeFile(path.join(source, "1"), bytes);
      const pinned = pin(path.join(source, "1"));
      await copyBytes(pinned, path.join(target, String(size)));
      pinned.close();
      expect((await readFile(path.join(target, String(size)))).equals(bytes)).toBe(true);
    }
  },
);

test.each([1, 7, 8, 9, 16, 33])(
  "a file of %i MB arrives whole; one of 8 or more is on the disk when it is there",
  async (megabytes) => {
    const bytes = Buffer.alloc(megabytes * MEGABYTE, "0123456789");
    await writeFile(path.join(source, "1"), bytes);
    const pinned = pin(path.join(source, "1"));
    const flushed = await copyBytes(pinned, path.join(target, "1"));
    pinned.close();
    expect(flushed).toBe(megabytes < 8 ? 0 : bytes.length);
    expect((await readFile(path.join(target, "1"))).equals(bytes)).toBe(true);
  },
);

test("of a file that grows while it is copied the bytes that it had are copied", async () => {
  const file = path.join(source, "1");
  const size = 8 * MEGABYTE + 17;
  await writeFile(file, Buffer.alloc(size, 1));
  const copying = copyPlainFile(file, path.join(target, "1"), { uid: null, reflinked: false });
  for (let round = 0; round < 20; round += 1) await appendFile(file, Buffer.alloc(MEGABYTE, 2));
  expect(await copying).toBe(true);
  const copy = await readFile(path.join(target, "1"));
  // It may have grown before the thread looked, by a part of what is appended at a time too.
  expect(copy.length).toBeGreaterThanOrEqual(size);
  expect(copy.subarray(0, size).every((byte) => byte === 1)).toBe(true);
  expect(copy.subarray(size).every((byte) => byte === 2)).toBe(true);
});

test("a file with holes arrives with its zeros", async () => {
  const handle = await open(path.join(source, "1"), "w");
  await handle.write("end", 5 * MEGABYTE);
  await handle.close();
  await copyFolder(source, target, ALL);
  const copy = await readFile(path.join(target, "1"));
  expect(copy.length).toBe(5 * MEGABYTE + 3);
  expect(copy.subarray(0, MEGABYTE).every((byte) => byte === 0)).toBe(true);
  expect(copy.subarray(-3).toString()).toBe("end");
});

test("a copy is for its owner alone, whoever may read the source", async () => {
  await writeFile(path.join(source, "1"), "x");
  await chmod(path.join(source, "1"), 0o666);
  await copyFolder(source, target, ALL);
  expect((await stat(path.join(target, "1"))).mode & 0o077).toBe(0);
});

test("two names of one file become two files", async () => {
  await writeFile(path.join(source, "1"), "x");
  await link(path.join(source, "1"), path.join(source, "2"));
  await copyFolder(source, target, ALL);
  await appendFile(path.join(target, "1"), "y");
  expect(await readFile(path.join(target, "2"), "utf8")).toBe("x");
});

test("hundreds of files in a folder, and folders within folders, all arrive", async () => {
  const deep = path.join(source, ...Array.from({ length: 30 }, () => "d"));
  await mkdir(deep, { recursive: true });
  await writeFile(path.join(deep, "last"), "x");
  for (let file = 0; file < 400; file += 1) await writeFile(path.join(source, String(file)), "x");
  expect((await copyFolder(source, target, ALL)).bytes).toBe(401);
  expect(Object.keys(await readTree(target))).toHaveLength(401);
});

test("a source that is not there is an empty one", async () => {
  await rm(source, { recursive: true });
  expect(await copyFolder(source, target, ALL)).toEqual({
    bytes: 0,
    flushedBytes: 0,
    reflinked: false,
  });
  expect(
    await copyPlainFile(path.join(source, "1"), path.join(target, "1"), {
      uid: null,
      reflinked: false,
    }),
  ).toBe(false);
});

test("an existing file is never written over", async () => {
  await writeFile(path.join(source, "1"), "new");
  await writeFile(path.join(target, "1"), "kept");
  await expect(copyFolder(source, target, ALL)).rejects.toThrow(/EEXIST/);
  expect(await readFile(path.join(target, "1"), "utf8")).toBe("kept");
});

test.runIf(IS_ROOT)("what is copied for a user is that user's, folders too", async () => {
  await mkdir(path.join(source, "folder"));
  await writeFile(path.join(source, "folder", "1"), "x");
  await copyFolder(source, target, { ...ALL, uid: 54_321 });
  for (const entry of ["folder", "folder/1"]) {
    const { uid, gid } = await stat(path.join(target, entry));
    expect([uid, gid]).toEqual([54_321, 54_321]);
  }
});

test.runIf(!IS_ROOT)("a file that we may not read ends the copy", async () => {
  await writeFile(path.join(source, "1"), "x");
  await chmod(path.join(source, "1"), 0);
  await expect(copyFolder(source, target, ALL)).rejects.toThrow(/EACCES/);
});
