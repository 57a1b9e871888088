import { beforeEach, expect, test } from "vitest";

import { MemoryDisk, type MemoryDiskOptions } from "../../../test/sync/memory-disk.ts";
import { inTree, type Place } from "../disk/disk.ts";
import { Scanner } from "./scanner.ts";
import type { Look } from "./side.ts";

let disk: CountingDisk;
let scanner: Scanner;
let nowMs = 0;
let ignored: ReadonlySet<string>;

/** Notes what is listed and what is read. */
class CountingDisk extends MemoryDisk {
  readonly listed: string[] = [];
  readonly wasRead: string[] = [];

  override list(folder: Place): ReturnType<MemoryDisk["list"]> {
    this.listed.push(folder.path);
    return super.list(folder);
  }

  override *read(place: Place): Generator<Uint8Array> {
    this.wasRead.push(place.path);
    yield* super.read(place);
  }
}

beforeEach(() => {
  nowMs = 0;
  ignored = new Set();
  open({});
});

function open(options: Pick<MemoryDiskOptions, "isExact" | "hasBulk">): void {
  disk = new CountingDisk({
    onCall: () => undefined,
    onEvent: () => undefined,
    now: () => nowMs,
    exchanges: "yes",
    ...options,
  });
  scanner = new Scanner({
    disk,
    clock: { now: () => nowMs },
    onFolder: () => false,
    onGone: () => undefined,
  });
}

function write(path: string, text: string): void {
  const inode = disk.find(inTree(path)) ?? disk.make("file");
  disk.put(inTree(path), inode);
  disk.change(inode, text);
}

async function look(scope: "all" | "hinted", hinted: readonly string[] = []): Promise<Look> {
  disk.listed.length = 0;
  disk.wasRead.length = 0;
  return scanner.look({ scope, findIgnored }, hinted);
}

async function findIgnored(names: readonly string[]): Promise<ReadonlySet<string>> {
  return new Set(names.filter((name) => ignored.has(name)));
}

const pathsOf = ({ changes }: Look): readonly string[] => [...changes.keys()].toSorted();

test("after a hint its folder alone is listed, and what has changed in it alone is read", async () => {
  for (const path of ["a", "d/b", "d/c", "e/f/g"]) write(path, "1");
  nowMs = 60_000;
  expect(pathsOf(await look("all"))).toEqual(["a", "d/b", "d/c", "e/f/g"]);
  write("d/c", "2");
  nowMs = 120_000;
  expect(pathsOf(await look("hinted", ["d"]))).toEqual(["d/c"]);
  expect([disk.listed, disk.wasRead]).toEqual([["d"], ["d/c"]]);
  expect(pathsOf(await look("all"))).toEqual([]);
  expect(disk.wasRead).toEqual([]);
});

test("a change that the disk's clock does not show is found at the next look", async () => {
  write("a", "1");
  await look("all");
  write("a", "2");
  expect(pathsOf(await look("hinted", [""]))).toEqual(["a"]);
});

test("where the disk tells every change, a file that was just written is read once, and again after the next write alone", async () => {
  open({ isExact: true });
  write("a", "1");
  await look("all");
  expect(disk.wasRead).toEqual(["a"]);
  expect(pathsOf(await look("hinted", [""]))).toEqual([]);
  expect(disk.wasRead).toEqual([]);
  write("a", "2");
  expect(pathsOf(await look("hinted", [""]))).toEqual(["a"]);
});

test("a folder that is ignored is not listed, and what becomes ignored is no part of the tree any more", async () => {
  ignored = new Set(["cache/"]);
  for (const path of ["cache/deep/a", "dist/a", "b"]) write(path, "1");
  expect(pathsOf(await look("all"))).toEqual(["b", "dist/a"]);
  expect(disk.listed).toEqual(["", "dist"]);
  expect(pathsOf(await look("hinted", ["cache/deep", "cache"]))).toEqual([]);
  expect(disk.listed).toEqual([""]);
  ignored = new Set(["cache/", "dist/"]);
  expect([...(await look("all")).changes]).toEqual([["dist/a", undefined]]);
});

test("a folder that goes takes all that it held, one that comes brings it, and a file may take its place", async () => {
  write("a/b/c", "1");
  write("a/b/d", "1");
  await look("all");
  const folder = disk.find(inTree("a/b"));
  disk.put(inTree("a/b"), undefined);
  disk.put(inTree("a/z"), folder);
  expect(pathsOf(await look("hinted", ["a/b", "a"]))).toEqual(["a/b/c", "a/b/d", "a/z/c", "a/z/d"]);
  disk.put(inTree("a"), undefined);
  write("a", "file");
  expect(pathsOf(await look("hinted", [""]))).toEqual(["a", "a/z/c", "a/z/d"]);
});

test("a folder that is away for an instant while many files are looked at keeps what it holds", async () => {
  open({ isExact: true, hasBulk: true });
  for (const path of ["d/a", "d/b", "d/c", "e"]) write(path, "1");
  const found = new Map((await look("all")).changes);
  const folder = disk.find(inTree("d"));
  const original = disk.list.bind(disk);
  disk.list = (place) => {
    // It is listed itself while it is there, and the one above it while it is not.
    disk.put(inTree("d"), place.path === "" ? undefined : folder);
    const listed = original(place);
    disk.put(inTree("d"), folder);
    return listed;
  };
  for (const [path, entry] of (await look("hinted", ["", "d"])).changes) found.set(path, entry);
  disk.list = original;
  for (const [path, entry] of (await look("hinted", [""])).changes) found.set(path, entry);
  const present = [...found].filter(([, entry]) => entry !== undefined).map(([path]) => path);
  expect(present.toSorted()).toEqual(["d/a", "d/b", "d/c", "e"]);
});

test("a file that is written while it is read is told when it rests", async () => {
  write("a", "1");
  const inode = disk.find(inTree("a"));
  const original = disk.see.bind(disk);
  let count = 0;
  disk.see = (place) => {
    nowMs += 1_000;
    if (inode !== undefined && count < 10) disk.change(inode, `${(count += 1)}`);
    return original(place);
  };
  const first = await look("all");
  expect([pathsOf(first), [...first.unknown.keys()]]).toEqual([[], ["a"]]);
  count = 10;
  const second = await look("hinted", [""]);
  expect([pathsOf(second), [...second.unknown.keys()]]).toEqual([["a"], []]);
});
