import { beforeEach, expect, test } from "vitest";

import { MemoryDisk } from "../../../test/sync/memory-disk.ts";
import { inTree } from "../disk/disk.ts";
import { TreeSide } from "../side/tree-side.ts";
import { Ancestor } from "./ancestor.ts";
import { formatMerge } from "./describe-merge.ts";
import { mergePair, type MergeOptions, type Merged } from "./merge.ts";
import { Pair } from "./pair.ts";

type Name = "local" | "remote";

let nowMs = 0;
let disks: Readonly<Record<Name, MemoryDisk>>;
let hints: Record<Name, readonly string[] | null>;
let ignored: ReadonlySet<string>;
let stamp: string;
let pair: Pair;

beforeEach(async () => {
  nowMs = 0;
  disks = { local: makeDisk(), remote: makeDisk() };
  hints = { local: [], remote: [] };
  ignored = new Set();
  stamp = "1";
  pair = await openPair();
});

function makeDisk(): MemoryDisk {
  return new MemoryDisk({
    onCall: () => undefined,
    onEvent: () => undefined,
    now: () => (nowMs += 10),
    exchanges: "yes",
  });
}

function openPair(): Promise<Pair> {
  const clock = { now: () => nowMs };
  const disk = disks.remote;
  return Pair.open({
    local: openSide("local"),
    remote: openSide("remote"),
    ancestor: new Ancestor({ disk, folder: "ancestors", epoch: "1", boot: "1", clock }),
    rules: {
      stamp: () => stamp,
      list: async () => ({ findIgnored, identify: () => [...ignored].join() }),
      findIgnored,
      findLeftOut: findIgnored,
    },
  });
}

async function findIgnored(names: readonly string[]): Promise<ReadonlySet<string>> {
  return new Set(names.filter((name) => ignored.has(name)));
}

function openSide(name: Name): TreeSide {
  return new TreeSide({
    disk: disks[name],
    clock: { now: () => nowMs },
    hints: { take: () => hints[name], follow: () => false, leave: () => undefined },
    pair: "pair",
    store: "/store",
  });
}

function put(name: Name, files: Readonly<Record<string, string | null>>): void {
  for (const [path, text] of Object.entries(files)) {
    const inode = text === null ? undefined : disks[name].make("file");
    disks[name].put(inTree(path), inode);
    if (inode !== undefined && text !== null) disks[name].change(inode, text);
  }
}

function textAt(name: Name, path: string): string | undefined {
  return disks[name].find(inTree(path))?.text;
}

function merge(options: Partial<MergeOptions> = {}): Promise<Merged | undefined> {
  return mergePair(pair, {
    scope: "all",
    prefer: null,
    mayRemoveMany: false,
    isAtRest: () => true,
    ...options,
  });
}

test("each side gets what the other has, and it is told in words", async () => {
  put("local", { a: "1", "d/b": "1" });
  put("remote", { c: "1" });
  const merged = await merge();
  expect(merged).toMatchObject({ toRemote: ["a", "d/b"], toLocal: ["c"], conflicts: [] });
  expect(merged === undefined ? [] : formatMerge(merged)).toEqual([
    "→ environment: a, d/b",
    "← environment: c",
  ]);
  expect(await merge()).toMatchObject({ toRemote: [], toLocal: [] });
});

test("while something moves nothing is done", async () => {
  put("local", { a: "1" });
  expect(await merge({ isAtRest: () => false })).toBe(undefined);
  expect(textAt("remote", "a")).toBe(undefined);
});

test("what is displaced in the workspace is told, what is left too, and a long list is cut short", async () => {
  const many = Object.fromEntries(Array.from({ length: 8 }, (_, index) => [`f${index}`, "1"]));
  put("local", many);
  await merge();
  put("remote", { ...many, f0: "2", x: "theirs" });
  put("local", { x: "ours" });
  const merged = await merge();
  expect(merged).toMatchObject({ toLocal: ["f0"], conflicts: ["x"] });
  const lines = merged === undefined ? [] : formatMerge({ ...merged, toRemote: Object.keys(many) });
  expect(lines[0]).toBe("→ environment: f0, f1, f2, f3, f4 and 3 more");
  expect(lines[2]).toMatch(/^✗ changed on both sides: x; settle with/);
  expect(lines[3]).toMatch(/^what stood here before is kept: ramet trash restore \d/);
});

test("a preferred side settles conflicts, and the other's bytes are kept", async () => {
  put("local", { x: "ours" });
  put("remote", { x: "theirs" });
  expect(await merge({ prefer: "remote" })).toMatchObject({ toLocal: ["x"], conflicts: [] });
  expect([textAt("local", "x"), textAt("remote", "x")]).toEqual(["theirs", "theirs"]);
});

test("many removals at once are asked about, unless something explains them", async () => {
  const many = Object.fromEntries(
    Array.from({ length: 40 }, (_, index) => [`f${index}`, `${index}`]),
  );
  put("local", { ...many, stays: "1" });
  await merge();
  put("local", Object.fromEntries(Object.keys(many).map((name) => [name, null])));
  await expect(merge()).rejects.toMatchObject({ code: "sync_removals" });
  expect(textAt("remote", "f7")).toBe("7");
  expect(await merge({ mayRemoveMany: true })).toMatchObject({
    toRemote: Object.keys(many).toSorted(),
  });
  put("local", { stays: null, more: "1" });
  await merge();
  put("local", { more: null });
  expect(await merge()).toMatchObject({ toRemote: ["more"] });
});

test("where events were lost everything is looked at, and where rules changed too", async () => {
  put("local", { a: "1", "d/b": "1" });
  await merge();
  put("local", { a: "2" });
  expect(await merge({ scope: "hinted" })).toMatchObject({ toRemote: [] });
  hints.local = null;
  const whole = merge({ scope: "hinted" });
  hints.local = [];
  await whole;
  stamp = "2";
  expect(await merge({ scope: "hinted" })).toBeDefined();
  expect(textAt("remote", "a")).toBe("2");
});

test("what becomes ignored is removed from neither side", async () => {
  put("local", { a: "1", "dist/b": "1" });
  await merge();
  ignored = new Set(["dist/"]);
  put("local", { "dist/b": "2" });
  expect(await merge()).toMatchObject({ toRemote: [], toLocal: [] });
  expect([textAt("local", "dist/b"), textAt("remote", "dist/b")]).toEqual(["2", "1"]);
});
