import { execFile } from "node:child_process";
import { chmod, readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

import { afterEach, beforeEach, expect, test } from "vitest";

import { type Folders, openFolders, put, read, type Words } from "../../../test/sync/folders.ts";
import { systemClock } from "../../base/clock.ts";
import type { Entry } from "../core/tree.ts";
import { type Disk, inTree } from "../disk/disk.ts";
import { readEntry } from "../disk/read-entry.ts";
import { openDisk } from "../disk/real-disk.ts";
import { keepMerged } from "../sync.ts";
import { CopiesAhead } from "./copies-ahead.ts";
import type { Step } from "./take-step.ts";

const LIMIT_MS = 20_000;

const always = (): boolean => true;

let folders: Folders;
let from: Disk;
let ahead: CopiesAhead;

beforeEach(async () => {
  folders = await openFolders();
  const { local } = folders.sides;
  from = openDisk({ tree: local, store: { base: local, path: ".ramet" } });
  ahead = open();
});
afterEach(() => folders.close());

function open(): CopiesAhead {
  const { remote, home } = folders.sides;
  const store = { base: path.dirname(home), path: path.basename(home) };
  const to = openDisk({ tree: remote, store });
  return new CopiesAhead({ from, to, clock: systemClock, pair: "pair" });
}

function pathOf(name: string): string {
  return path.join(folders.sides.local, name);
}

/** What lies in a folder of the store, by its own name alone. */
async function stored(folder: string): Promise<readonly string[]> {
  const found = await readdir(path.join(folders.sides.home, folder), {
    recursive: true,
    withFileTypes: true,
  }).catch(() => []); // It was not made yet.
  return found.filter((entry) => entry.isFile()).map(({ name }) => name);
}

async function entryOf(name: string): Promise<Entry> {
  const entry = await readEntry(from, inTree(name));
  if (entry === undefined) throw new Error(`Nothing stands at ${name}.`);
  return entry;
}

function stepOf(name: string, entry: Entry): Step {
  return { path: name, expected: undefined, entry, aside: `aside-${name}` };
}

test("what was copied is known without being read, and lies where its step wants it", async () => {
  await put(folders.sides.local, { a: "1", b: "+x2" });
  await ahead.copy(["a", "b", "none"], always);
  expect(ahead.recall("a")?.version).toBe(from.see(inTree("a"))?.version);
  const steps = [stepOf("a", await entryOf("a")), stepOf("b", await entryOf("b"))];
  expect([...(await ahead.stage(steps))]).toEqual(steps);
  expect(await read(path.join(folders.sides.home, "staged"))).toEqual({
    "aside-a": "1",
    "aside-b": "+x2",
  });
});

test("a file that git writes again is copied again, and the copy from before is gone", async () => {
  await put(folders.sides.local, { a: "half" });
  await ahead.copy(["a"], always);
  await ahead.copy(["a"], always);
  await put(folders.sides.local, { a: "whole" });
  const step = stepOf("a", await entryOf("a"));
  expect([...(await ahead.stage([step]))]).toEqual([]);
  await ahead.copy(["a"], always);
  expect(await stored("ahead")).toHaveLength(1);
  expect([...(await ahead.stage([step]))]).toEqual([step]);
});

test("a copy that was changed since, or may not be run as the file may, is not used", async () => {
  await put(folders.sides.local, { a: "1", b: "2" });
  await ahead.copy(["a", "b"], always);
  const home = path.join(folders.sides.home, "ahead", "pair", "0");
  for (const name of await readdir(home)) await writeFile(path.join(home, name), "theirs");
  await chmod(pathOf("b"), 0o755);
  const steps = [stepOf("a", await entryOf("a")), stepOf("b", await entryOf("b"))];
  expect([...(await ahead.stage(steps))]).toEqual([]);
});

test("nothing is copied once git is done, nor what is large, a link or a folder", async () => {
  await put(folders.sides.local, { a: "1", large: "x".repeat(2 << 20), "folder/b": "2" });
  await put(folders.sides.local, { link: "->a" });
  await ahead.copy(["a"], () => false);
  await ahead.copy(["large", "link", "folder"], always);
  expect(await stored("ahead")).toEqual([]);
});

test("what was not used is cleared away, and so is what another has left", async () => {
  await put(folders.sides.local, { a: "1" });
  await ahead.copy(["a"], always);
  expect(await stored("ahead")).toHaveLength(1);
  await open().clear();
  expect(await stored("ahead")).toEqual([]);
});

test("what git has written by then is copied while it holds its lock, and comes over as it is in the end", async () => {
  const { local, remote, home } = folders.sides;
  const names = Array.from({ length: 20 }, (_, index) => `src/${index}.js`);
  const all = (text: string): Words => Object.fromEntries(names.map((name) => [name, text]));
  await put(local, { ...all("one"), ".gitignore": ".env\n", "src/.env": "secret" });
  await promisify(execFile)("git", ["init", "-q"], { cwd: local });
  const stop = new AbortController();
  const kept = consume(keepMerged(folders.sides, { prefer: null, signal: stop.signal }));
  try {
    const holds = (folder: string, words: Words): Promise<void> =>
      expect.poll(async () => read(folder).catch(() => ({})), { timeout: LIMIT_MS }).toEqual(words);
    await holds(remote, { ...all("one"), ".gitignore": ".env\n" });
    const lock = path.join(local, ".git", "index.lock");
    await writeFile(lock, "");
    // As git writes: in place.
    for (const [name, text] of Object.entries({ "src/.env": "another secret", ...all("half") }))
      await writeFile(path.join(local, name), text);
    const copies = async (): Promise<readonly string[]> => stored("ahead");
    await expect.poll(copies, { timeout: LIMIT_MS }).toHaveLength(names.length);
    expect((await read(remote))["src/0.js"]).toBe("one");
    const texts = Object.values(await read(path.join(home, "ahead")));
    expect(new Set(texts)).toEqual(new Set(["half"]));
    await put(local, { "src/0.js": "whole" });
    await rm(lock);
    await holds(remote, { ...all("half"), "src/0.js": "whole", ".gitignore": ".env\n" });
    await expect.poll(copies, { timeout: LIMIT_MS }).toEqual([]);
  } finally {
    stop.abort();
    await kept;
  }
});

async function consume(merges: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of merges);
}
