import { existsSync } from "node:fs";
import {
  chmod,
  lstat,
  mkdir,
  readFile,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from "node:fs/promises";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { type Folders, openFolders, put, read } from "../../../test/sync/folders.ts";
import { type Disk, inStore, inTree } from "./disk.ts";
import { openDisk } from "./real-disk.ts";

let folders: Folders;
let tree: string;
let disk: Disk;

beforeEach(async () => {
  folders = await openFolders();
  tree = folders.sides.local;
  disk = openDisk({ tree, store: { base: tree, path: ".ramet" } });
});
afterEach(async () => {
  disk.rest();
  await folders.close();
});

function textOf(name: string): string {
  const parts = Array.from(disk.read(inTree(name)), (part) => Buffer.from(part));
  return Buffer.concat(parts).toString();
}

function write(name: string, text: string): void {
  const file = disk.write(inStore(name), false);
  file.write(Buffer.from(text));
  file.close();
}

test("two files change places, also in folders that are held open, and a missing one is said", async () => {
  await put(tree, { "d/a": "old" });
  write("staged/1", "new");
  expect(disk.exchange(inStore("staged/1"), inTree("d/a"))).toBe("done");
  expect(textOf("d/a")).toBe("new");
  expect(await readFile(path.join(tree, ".ramet/staged/1"), "utf8")).toBe("old");
  expect(disk.exchange(inStore("staged/1"), inTree("d/none"))).toBe("gone");
  expect(disk.exchange(inStore("staged/1"), inTree("none/a"))).toBe("gone");
});

test("a second name is given where nothing stands, and a link is made there; else nothing happens", async () => {
  await put(tree, { there: "1" });
  write("staged/1", "new");
  expect(disk.link(inStore("staged/1"), inTree("there"))).toBe(false);
  expect(disk.makeLink("x", inTree("there"))).toBe(false);
  expect(disk.link(inStore("staged/1"), inTree("deep/er/file"))).toBe(true);
  expect(disk.makeLink("x", inTree("deep/link"))).toBe(true);
  expect(await read(tree)).toEqual({ there: "1", "deep/er/file": "new", "deep/link": "->x" });
});

test("a folder that was removed and made anew is the new one", async () => {
  disk.makeFolder(inTree("a/b"));
  expect(disk.removeFolder(inTree("a/b"))).toBe(true);
  expect(disk.removeFolder(inTree("a/b"))).toBe(false);
  disk.makeFolder(inTree("a/b"));
  expect(existsSync(path.join(tree, "a/b"))).toBe(true);
  await put(tree, { "a/b/c": "1" });
  expect(disk.removeFolder(inTree("a/b"))).toBe(false);
  expect(disk.list(inTree("a/b"))).toEqual([{ name: "c", kind: "file" }]);
});

test("what somebody moved away while its folder was held open is not written to in its old place", async () => {
  await put(tree, { "a/file": "1" });
  expect(disk.list(inTree("a"))).toHaveLength(1);
  await rename(path.join(tree, "a"), path.join(tree, "b"));
  await rm(path.join(tree, "b"), { recursive: true });
  write("staged/1", "new");
  expect(() => disk.link(inStore("staged/1"), inTree("a/file"))).toThrow(/changed while/);
  disk.rest();
  expect(disk.see(inTree("a/file"))).toBe(undefined);
});

test("a change of bytes, of mode and of name each show, and an older time does not hide one", async () => {
  await put(tree, { a: "1" });
  const first = disk.see(inTree("a"));
  await chmod(path.join(tree, "a"), 0o755);
  const second = disk.see(inTree("a"));
  expect([second?.bytes, second?.executable]).toEqual([first?.bytes, true]);
  expect(second?.version).not.toBe(first?.version);
  const { atime, mtime } = await stat(path.join(tree, "a"));
  await writeFile(path.join(tree, "a"), "2");
  await utimes(path.join(tree, "a"), atime, mtime);
  expect(disk.see(inTree("a"))?.version).not.toBe(second?.version);
});

test("a tree has another name for itself once another folder stands in its place", async () => {
  const before = disk.identify();
  await put(tree, { a: "1" });
  expect(disk.identify()).toBe(before);
  await rename(tree, `${tree}-old`);
  await mkdir(tree);
  expect(disk.identify()).not.toBe(before);
  await rm(tree, { recursive: true });
  expect(() => disk.identify()).toThrow(/no such folder/);
});

test("notes are the owner's alone, and are added to", async () => {
  disk.note(inStore("notes/one"), "first\n");
  disk.append(inStore("notes/one"), "second\n");
  const file = path.join(tree, ".ramet/notes/one");
  expect(await readFile(file, "utf8")).toBe("first\nsecond\n");
  expect([(await lstat(file)).mode & 0o77, (await lstat(path.dirname(file))).mode & 0o77]).toEqual([
    0, 0,
  ]);
});
