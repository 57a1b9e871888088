import { rename, truncate } from "node:fs/promises";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { type Folders, openFolders, put } from "../../../test/sync/folders.ts";
import { MemoryDisk } from "../../../test/sync/memory-disk.ts";
import { OtherMachine } from "../../../test/sync/other-machine.ts";
import type { Entry } from "../core/tree.ts";
import { type Disk, inTree } from "../disk/disk.ts";
import { openDisk } from "../disk/real-disk.ts";
import { compareFar, transferFar } from "../sync.ts";
import { KeptHashes } from "./kept-hashes.ts";
import { TreeSide } from "./tree-side.ts";

/** So many that threads read them. */
const COUNT = 40;
const NAMES = Array.from({ length: COUNT }, (_, index) => `in/${index}.txt`);
const WORDS = Object.fromEntries(NAMES.map((name) => [name, `this is ${name}`]));
/** Long after whatever was changed. */
const LATER_MS = Date.now() + 60_000;

let folders: Folders;
let tree: string;

beforeEach(async () => {
  folders = await openFolders();
  tree = folders.sides.local;
  await put(tree, WORDS);
});
afterEach(async () => folders.close());

type Looked = {
  readonly entries: ReadonlyMap<string, Entry | undefined>;
  /** What was read in threads. */
  readonly read: readonly string[];
};

function openReal(): Disk {
  return openDisk({ tree, store: { base: tree, path: ".ramet" } });
}

/** As one command does, the next of which knows what this one saved. */
async function look(disk: Disk = openReal(), boot = "1", nowMs = LATER_MS): Promise<Looked> {
  const hashes = new KeptHashes({ disk, boot, pair: "test" });
  const read: string[] = [];
  const { bulk } = disk;
  if (bulk === undefined) throw new Error("This disk does one thing at a time.");
  const examine = bulk.examine.bind(bulk);
  bulk.examine = async (files) => {
    const found = await examine(files);
    for (const [index, one] of found.entries())
      if (one.status === "fulfilled" && one.value.kind === "file")
        read.push(files[index]?.path ?? "");
    return found;
  };
  const side = new TreeSide({
    disk,
    clock: { now: () => nowMs },
    hints: { take: () => null, follow: () => false, leave: () => undefined },
    hashes,
    pair: "test",
    store: path.join(tree, ".ramet"),
  });
  const { changes } = await side.look({ scope: "all", findIgnored: findNone });
  hashes.save();
  bulk.examine = examine;
  return { entries: changes, read: read.toSorted() };
}

async function findNone(): Promise<ReadonlySet<string>> {
  return Promise.resolve(new Set<string>());
}

test("what one command has read the next does not read, and finds the same", async () => {
  const first = await look();
  expect(first.read).toEqual(NAMES.toSorted());
  const second = await look();
  expect(second.read).toEqual([]);
  expect([...second.entries]).toEqual([...first.entries]);
});

test("what has changed meanwhile is read, whatever is the same about it, and what was new and has gone is not told of", async () => {
  const first = await look();
  await put(tree, { "in/3.txt": "THIS is in/3.txt", "in/new.txt": "new" });
  await rename(path.join(tree, "in/5.txt"), path.join(tree, "in/6.txt"));
  const second = await look();
  expect(second.read).toEqual(["in/3.txt", "in/6.txt", "in/new.txt"]);
  expect(second.entries.get("in/3.txt")).not.toEqual(first.entries.get("in/3.txt"));
  expect(second.entries.get("in/6.txt")).toEqual(first.entries.get("in/5.txt"));
  expect(second.entries.has("in/5.txt")).toBe(false);
  expect((await look()).read).toEqual([]);
});

test("after a start of the machine all is read: a power cut may have torn what has its time still", async () => {
  await look();
  expect((await look(openReal(), "2")).read).toHaveLength(COUNT);
  expect((await look(openReal(), "2")).read).toEqual([]);
});

test("what was kept and is torn, or was of another folder, is nothing", async () => {
  const { entries } = await look();
  await truncate(path.join(tree, ".ramet/hashes"), 1_000);
  const torn = await look();
  expect(torn.read).toHaveLength(COUNT);
  expect([...torn.entries]).toEqual([...entries]);
  const moved = path.join(folders.root, "moved");
  await rename(tree, moved);
  await put(tree, WORDS);
  await rename(path.join(moved, ".ramet"), path.join(tree, ".ramet"));
  expect((await look()).read).toHaveLength(COUNT);
});

test("where another change might hide behind it, a change of just now is read again", async () => {
  const disk = new MemoryDisk({
    onCall: () => undefined,
    onEvent: () => undefined,
    now: () => 1_000,
    exchanges: "yes",
    hasBulk: true,
  });
  for (const name of NAMES) {
    const inode = disk.make("file");
    disk.put(inTree(name), inode);
    disk.change(inode, name);
  }
  expect((await look(disk, "1", 2_000)).read).toHaveLength(COUNT);
  expect((await look(disk, "1", 4_000)).read).toHaveLength(COUNT);
  expect((await look(disk, "1", 5_000)).read).toEqual([]);
});

test("from afar both sides keep theirs, and an edit is found that was made between two commands", async () => {
  const machine = new OtherMachine(folders.sides);
  await transferFar(machine.sides, { force: false }, "push");
  await compareFar(machine.sides);
  await put(tree, { "in/1.txt": "THIS is in/1.txt" });
  await put(folders.sides.remote, { "in/2.txt": "THIS is in/2.txt" });
  expect(await compareFar(machine.sides)).toMatchObject({
    local: ["in/1.txt"],
    remote: ["in/2.txt"],
    conflicts: [],
  });
  machine.close();
});
