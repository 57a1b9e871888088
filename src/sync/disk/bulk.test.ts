import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { chmod, mkdir, readdir, rename, symlink } from "node:fs/promises";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import {
  type Folders,
  openFolders,
  openSide,
  put,
  read,
  type Words,
} from "../../../test/sync/folders.ts";
import { planMirror } from "../core/plan.ts";
import type { Tree } from "../core/tree.ts";
import type { Look } from "../side/side.ts";
import type { TreeSide } from "../side/tree-side.ts";
import { inStore, inTree } from "./disk.ts";
import { openDisk } from "./real-disk.ts";

/** As many as threads are asked for, and more than one of them is given at a time. */
const MANY = 300;

let folders: Folders;
let local: string;
let remote: string;

beforeEach(async () => {
  folders = await openFolders();
  ({ local, remote } = folders.sides);
});
afterEach(() => folders.close());

function manyWords(text: string): Words {
  const names = Array.from({ length: MANY }, (_, index) => `d${index % 7}/f${index}`);
  return Object.fromEntries(names.map((name) => [name, `${text} ${name}`]));
}

function openBoth(): { readonly source: TreeSide; readonly target: TreeSide } {
  const source = openSide(local, path.join(local, ".ramet"));
  return { source, target: openSide(remote, folders.sides.home) };
}

async function look(side: TreeSide): Promise<Look> {
  return side.look({ scope: "all", findIgnored: async () => new Set() });
}

function treeOf({ changes }: Look): Tree {
  return new Map(
    [...changes].flatMap(([name, entry]) => (entry === undefined ? [] : [[name, entry]])),
  );
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

test("many files are read in threads as they are read one by one", async () => {
  const words = { ...manyWords("1"), big: "x".repeat(3 << 20), empty: "", run: "+xrun" };
  await put(local, words);
  const { changes } = await look(openBoth().source);
  const expected = Object.entries(words).map(([name, word]) => {
    const text = word.replace(/^\+x/, "");
    return [name, { kind: "file", hash: hashOf(text), executable: word !== text }];
  });
  expect(Object.fromEntries(changes)).toEqual(Object.fromEntries(expected));
});

test("many files are copied in threads, whole and as executable as they were, and nothing lies aside", async () => {
  await put(local, { ...manyWords("1"), big: "x".repeat(3 << 20), empty: "", run: "+xrun" });
  const { source, target } = openBoth();
  const plan = planMirror(treeOf(await look(source)), treeOf(await look(target)));
  const { left } = await target.apply(plan, source.contents);
  await target.commit();
  expect([...left]).toEqual([]);
  expect(await read(remote)).toEqual(await read(local));
  expect(await readdir(path.join(folders.sides.home, "staged"))).toEqual([]);
  expect(treeOf(await look(target))).toEqual(new Map());
});

test("many files change places in threads: what stood there is kept, and what somebody wrote since stays", async () => {
  await put(local, manyWords("new"));
  await put(remote, manyWords("old"));
  const { source, target } = openBoth();
  const plan = planMirror(treeOf(await look(source)), treeOf(await look(target)));
  await put(remote, { "d0/f0": "mine" });
  const { left, done, displaced } = await target.apply(plan, source.contents);
  await target.commit();
  expect([...left].map(([name, { code }]) => [name, code])).toEqual([["d0/f0", "sync_conflict"]]);
  expect(done.size).toBe(MANY - 1);
  expect(await read(remote)).toEqual({ ...manyWords("new"), "d0/f0": "mine" });
  const { "d0/f0": _, ...others } = manyWords("old");
  expect(await read(displaced ?? "")).toEqual(others);
  expect(await readdir(path.join(folders.sides.home, "staged"))).toEqual([]);
});

test("a thread has two files change places only where the version stands that is known", async () => {
  await put(remote, { a: "old", b: "old" });
  await put(folders.sides.home, { a: "new", b: "new" });
  const disk = openDisk({ tree: remote, store: { base: folders.root, path: "home" } });
  const version = disk.see(inTree("a"))?.version ?? "";
  const moves = ["a", "b"].map((name) => ({ from: name, to: name, version }));
  const moved = (await disk.bulk?.exchange(moves)) ?? [];
  disk.rest();
  expect(moved.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
  expect(await read(remote)).toEqual({ a: "new", b: "old" });
  expect(await read(folders.sides.home)).toMatchObject({ a: "old", b: "new" });
});

test("a thread takes to the trash what is as it was known, where nothing lies, and nothing else", async () => {
  await put(folders.sides.home, { a: "1", b: "1", c: "1", d: "1", "trash/d": "before" });
  const disk = openDisk({ tree: remote, store: { base: folders.root, path: "home" } });
  const moves = ["a", "b", "c", "d"].map((name) => {
    const { bytes = "", executable = false } = disk.see(inStore(name)) ?? {};
    return { from: name, to: `trash/${name}`, bytes, executable };
  });
  await put(folders.sides.home, { b: "2" });
  await chmod(path.join(folders.sides.home, "c"), 0o755);
  const kept = (await disk.bulk?.keep(moves)) ?? [];
  disk.rest();
  expect(kept.map(({ status }) => status)).toEqual([
    "fulfilled",
    "rejected",
    "rejected",
    "rejected",
  ]);
  expect(await read(folders.sides.home)).toMatchObject({
    b: "2",
    c: "+x1",
    d: "1",
    "trash/a": "1",
    "trash/d": "before",
  });
});

test("of many files those that have changed since they were seen are left alone, and named", async () => {
  await put(local, manyWords("1"));
  const { source, target } = openBoth();
  const plan = planMirror(treeOf(await look(source)), treeOf(await look(target)));
  await put(local, { "d0/f0": "another text" });
  const { left, done } = await target.apply(plan, source.contents);
  await target.commit();
  expect([...left].map(([name, { code }]) => [name, code])).toEqual([["d0/f0", "sync_conflict"]]);
  expect(done.size).toBe(MANY - 1);
  expect(Object.keys(await read(remote))).not.toContain("d0/f0");
  expect(await readdir(path.join(folders.sides.home, "staged"))).toEqual([]);
});

test("a folder that has become a link leads threads nowhere, though its names lead outside", async () => {
  const victim = path.join(folders.root, "victim");
  const words = manyWords("1");
  await put(local, words);
  await put(victim, { f0: "secret", f7: "secret" });
  await rename(path.join(local, "d0"), path.join(local, "away"));
  await symlink(victim, path.join(local, "d0"));
  const disk = openDisk({ tree: local, store: { base: local, path: ".ramet" } });
  const files = Object.keys(words).map((name) => ({ path: name, version: null }));
  const examined = (await disk.bulk?.examine(files)) ?? [];
  disk.rest();
  const secret = hashOf("secret");
  const kinds = examined.map((one) => (one.status === "fulfilled" ? one.value.kind : "failed"));
  expect(kinds.filter((kind) => kind !== "file")).toHaveLength(Math.ceil(MANY / 7));
  expect(JSON.stringify(examined)).not.toContain(secret);
  // What a name alone leads to.
  expect(hashOf(readFileSync(path.join(local, "d0/f0"), "utf8"))).toBe(secret);
});

test("threads find each change of a folder, and one that became a link no folder, though the same files lie behind it", async () => {
  await put(local, manyWords("1"));
  const side = openSide(local, path.join(local, ".ramet"));
  await look(side);
  const changes = async (): Promise<readonly string[]> =>
    [...(await look(side)).changes.keys()].toSorted();
  expect(await changes()).toEqual([]);
  await put(local, { "d3/f3": "2 d3/f3", "d4/new": "1" });
  expect(await changes()).toEqual(["d3/f3", "d4/new"]);
  await chmod(path.join(local, "d5/f5"), 0o755);
  expect(await changes()).toEqual(["d5/f5"]);
  await rename(path.join(local, "d0"), path.join(folders.root, "d0"));
  await symlink(path.join(folders.root, "d0"), path.join(local, "d0"));
  expect(await changes()).toEqual(
    Object.keys(manyWords("1"))
      .filter((name) => name.startsWith("d0/"))
      .toSorted(),
  );
});

test("one that may not be read keeps nobody else's file from being read", async () => {
  await put(local, manyWords("1"));
  await mkdir(path.join(local, "closed"));
  await chmod(path.join(local, "closed"), 0o000);
  const { changes } = await look(openBoth().source);
  await chmod(path.join(local, "closed"), 0o700);
  expect([...changes.keys()].filter((name) => name.startsWith("d"))).toHaveLength(MANY);
});
