import { beforeEach, expect, test } from "vitest";

import { MemoryDisk } from "../../../test/sync/memory-disk.ts";
import type { Entry } from "../core/tree.ts";
import { inTree } from "../disk/disk.ts";
import { Scanner } from "./scanner.ts";

/** All that a look at everything asks threads for, and what they found as it was. */
let same: string[];
let disk: MemoryDisk;
let scanner: Scanner;
let ignored: ReadonlySet<string>;
/** How many names the rules were asked about; and what stands for them, where anything does. */
let asked = 0;
let rules: string | undefined;

beforeEach(async () => {
  rules = undefined;
  ignored = new Set(["out/log", "cache/"]);
  disk = new MemoryDisk({
    onCall: () => undefined,
    onEvent: () => undefined,
    now: () => 0,
    exchanges: "yes",
    isExact: true,
    hasBulk: true,
  });
  noteSurveys();
  scanner = new Scanner({
    disk,
    clock: { now: () => 0 },
    onFolder: () => false,
    onGone: () => undefined,
  });
  for (const path of ["a", "src/a", "src/b", "src/in/c", "out/log", "out/kept", "cache/x"])
    write(path, "1");
  await look();
  await look();
});

/** From here on it is written down which folders are found as they were. */
function noteSurveys(): void {
  const { bulk } = disk;
  if (bulk === undefined) throw new Error("This disk does one thing at a time.");
  const survey = bulk.survey.bind(bulk);
  bulk.survey = async (folders) => {
    const found = await survey(folders);
    same.push(...found.map((index) => folders[index]?.path ?? ""));
    return found;
  };
}

function write(path: string, text: string): void {
  const inode = disk.find(inTree(path)) ?? disk.make("file");
  disk.put(inTree(path), inode);
  disk.change(inode, text);
}

function remove(path: string): void {
  disk.put(inTree(path), undefined);
}

async function findIgnored(names: readonly string[]): Promise<ReadonlySet<string>> {
  asked += names.length;
  return new Set(names.filter((name) => ignored.has(name)));
}

/** At everything; resolves with what it found: the paths that are there, and with a minus those that have gone. */
async function look(
  scope: "all" | "hinted" = "all",
  hinted: readonly string[] = [],
): Promise<readonly string[]> {
  [same, asked] = [[], 0];
  const identifyRules = scope === "all" ? async () => Promise.resolve(rules) : undefined;
  const { changes } = await scanner.look({ scope, findIgnored, identifyRules }, hinted);
  return [...changes].map(([path, entry]) => (entry === undefined ? `-${path}` : path)).toSorted();
}

test("a tree without a change is looked at in threads alone", async () => {
  expect(await look()).toEqual([]);
  expect(same.toSorted()).toEqual(["", "out", "src", "src/in"]);
  const { bulk } = disk;
  if (bulk !== undefined) bulk.survey = async (folders) => folders.map((_, index) => index);
  const listed: string[] = [];
  const list = disk.list.bind(disk);
  disk.list = (folder) => {
    listed.push(folder.path);
    return list(folder);
  };
  expect([await look(), listed]).toEqual([[], []]);
});

test.each([
  ["is written to", () => write("src/a", "2"), ["src/a"]],
  ["is written to by one as long", () => write("src/in/c", "2"), ["src/in/c"]],
  ["comes", () => write("src/new", "1"), ["src/new"]],
  ["goes", () => remove("src/a"), ["-src/a"]],
  ["goes with its folder", () => remove("src/in"), ["-src/in/c"]],
  ["comes with its folder", () => write("src/new/deep/a", "1"), ["src/new/deep/a"]],
  [
    "takes a folder's place",
    () => (remove("src/in"), write("src/in", "1")),
    ["-src/in/c", "src/in"],
  ],
])("one that %s is found beside folders without a change", async (_, change, expected) => {
  change();
  expect(await look()).toEqual(expected);
  expect(same).toContain("out");
  expect(await look()).toEqual([]);
});

test("a log that is ignored may be written to and its folder is as it was; where the rules change it is not", async () => {
  write("out/log", "2");
  expect(await look()).toEqual([]);
  expect(same).toContain("out");
  ignored = new Set(["cache/"]);
  expect(await look()).toEqual(["out/log"]);
  ignored = new Set(["cache/", "out/kept", "src/in/"]);
  expect(await look()).toEqual(["-out/kept", "-src/in/c"]);
  ignored = new Set([]);
  expect(await look()).toEqual(["cache/x", "out/kept", "src/in/c"]);
});

test("what was put there and then removed by somebody is found, though the folder is as it was before", async () => {
  const entry: Entry = { kind: "file", hash: "1", executable: false };
  write("src/put/file", "1");
  scanner.learn("src/put/file", entry, disk.see(inTree("src/put/file")));
  remove("src/put");
  expect(await look()).toEqual(["-src/put/file"]);
});

test("what a hint has told and is gone again is found, though the folder is as it was before", async () => {
  write("src/put/file", "1");
  expect(await look("hinted", ["src"])).toEqual(["src/put/file"]);
  remove("src/put");
  expect(await look()).toEqual(["-src/put/file"]);
});

test("a folder that becomes a repository of its own is no part of the tree", async () => {
  ignored = new Set([...ignored, "src/in/.git"]);
  write("src/in/.git", "gitdir: elsewhere");
  expect(await look()).toEqual(["-src/in/c"]);
});

test("where nothing has changed, nor what the rules say, they are asked about no name", async () => {
  rules = "as they are";
  expect([await look(), asked > 0]).toEqual([[], true]);
  expect([await look(), asked]).toEqual([[], 0]);
  write("src/a", "2");
  expect([await look(), asked > 0]).toEqual([["src/a"], true]);
  await look();
  expect([await look(), asked]).toEqual([[], 0]);
  [rules, ignored] = ["others", new Set(["cache/"])];
  expect(await look()).toEqual(["out/log"]);
});

test.each([
  ["they were asked about a name for which it does not stand", () => void (rules = undefined)],
  ["a folder may not be read", () => hideFolder("src/in")],
])("they are asked about all again, and again, where %s", async (_, happen) => {
  rules = "as they are";
  await look();
  happen();
  await look("hinted", ["src", "src/in"]);
  await look();
  rules = "as they are";
  expect([(await look()).length, asked > 0]).toEqual([0, true]);
});

test("after a hint has told of something that came they are asked about all once more", async () => {
  rules = "as they are";
  await look();
  write("src/new", "1");
  expect(await look("hinted", ["src"])).toEqual(["src/new"]);
  expect([await look(), asked > 0]).toEqual([[], true]);
  expect([await look(), asked]).toEqual([[], 0]);
});

/** As one that its owner alone may read. */
function hideFolder(path: string): void {
  const list = disk.list.bind(disk);
  disk.list = (folder) => {
    if (folder.path === path) throw Object.assign(new Error("It is closed."), { code: "EACCES" });
    return list(folder);
  };
}

test("a repository in the tree is looked into each time: it may be none any more", async () => {
  [rules, ignored] = ["as they are", new Set([...ignored, "src/in/.git"])];
  write("src/in/.git", "gitdir: elsewhere");
  expect(await look()).toEqual(["-src/in/c"]);
  await look();
  remove("src/in/.git");
  expect(await look()).toEqual(["src/in/c"]);
});
