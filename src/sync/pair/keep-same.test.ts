import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

import { afterEach, beforeEach, expect, test } from "vitest";

import { waitFor } from "../../base/clock.ts";
import { messageOf, Problem } from "../../base/problem.ts";
import { syncEmptied } from "../disk/problems.ts";
import { TreeWatch } from "../side/tree-watch.ts";
import { keepMerged, type Sides } from "../sync.ts";
import { keepSame, type Merge } from "./keep-same.ts";
import type { Merged } from "./merge.ts";

const LIMIT_MS = 30_000;

let root = "";
let sides: Sides;
let stop: AbortController;
let told: Merged[];
let ended: Promise<string>;

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "ramet-keep-"));
  sides = {
    local: path.join(root, "local"),
    remote: path.join(root, "remote"),
    home: path.join(root, "home"),
  };
  await Promise.all([mkdir(sides.local), mkdir(sides.remote)]);
  told = [];
  ended = Promise.resolve("");
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await ended;
  await rm(root, { recursive: true, force: true });
});

/** Resolves, once it has ended, with the code of the problem that ended it. */
function begin(prefer: "local" | "remote" | null = null): void {
  ended = consume(prefer).catch((error: unknown) =>
    error instanceof Problem ? error.code : messageOf(error),
  );
}

async function consume(prefer: "local" | "remote" | null): Promise<string> {
  const options = { prefer, signal: stop.signal };
  for await (const merged of keepMerged(sides, options)) told.push(merged);
  return "";
}

async function put(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), text);
  }
}

async function read(folder: string): Promise<Readonly<Record<string, string>>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .filter((name) => !name.startsWith(".git/") && !name.startsWith(".ramet/"));
  const pairs = files
    .toSorted()
    .map(async (name) => [name, await readFile(path.join(folder, name), "utf8")] as const);
  return Object.fromEntries(await Promise.all(pairs));
}

/** Waits until a side holds exactly that. */
async function becomes(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  let held: object | undefined;
  const isSo = async (): Promise<true | undefined> => {
    // A folder may go while it is listed: it is asked again.
    held = await read(folder).catch(() => undefined);
    return JSON.stringify(held) === JSON.stringify(files) ? true : undefined;
  };
  await waitFor(isSo, { timeoutMs: LIMIT_MS });
  expect(held).toEqual(files);
}

/** Waits until so many merges were told. */
async function tells(count: number): Promise<void> {
  await waitFor(() => (told.length >= count ? true : undefined), { timeoutMs: LIMIT_MS });
  expect(told).toHaveLength(count);
}

async function git(...args: readonly string[]): Promise<void> {
  const identity = ["-c", "user.name=t", "-c", "user.email=t@t.test"];
  await promisify(execFile)("git", [...identity, ...args], { cwd: sides.local });
}

test("both sides get what the other has, and then each edit, in whichever folder", async () => {
  await put(sides.local, { "a.js": "1" });
  await put(sides.remote, { "b/c.js": "1" });
  begin();
  await becomes(sides.remote, { "a.js": "1", "b/c.js": "1" });
  await becomes(sides.local, { "a.js": "1", "b/c.js": "1" });

  await put(sides.local, { "new/deep/er/d.js": "1" });
  await becomes(sides.remote, { "a.js": "1", "b/c.js": "1", "new/deep/er/d.js": "1" });
  await put(sides.remote, { "new/deep/er/d.js": "2" });
  await becomes(sides.local, { "a.js": "1", "b/c.js": "1", "new/deep/er/d.js": "2" });

  await rm(path.join(sides.local, "a.js"));
  await rename(path.join(sides.local, "b"), path.join(sides.local, "z"));
  await becomes(sides.remote, { "new/deep/er/d.js": "2", "z/c.js": "1" });
  expect(told.flatMap(({ conflicts, revived }) => [...conflicts, ...revived])).toEqual([]);
});

test("a folder that was removed and made again at once is still watched", async () => {
  await put(sides.local, { "a/b.js": "1" });
  begin();
  await becomes(sides.remote, { "a/b.js": "1" });
  for (let round = 2; round < 6; round += 1) {
    await rm(path.join(sides.local, "a"), { recursive: true });
    await put(sides.local, { "a/b.js": `${round}` });
    await becomes(sides.remote, { "a/b.js": `${round}` });
  }
  expect(told.flatMap(({ conflicts }) => conflicts)).toEqual([]);
});

test("a conflict changes neither side, is told once, and other files go on", async () => {
  await put(sides.local, { "a.js": "1", "b.js": "1" });
  begin();
  await becomes(sides.remote, { "a.js": "1", "b.js": "1" });
  stop.abort();
  await ended;
  await put(sides.local, { "a.js": "here" });
  await put(sides.remote, { "a.js": "there" });
  stop = new AbortController();
  told = [];
  begin();
  await put(sides.local, { "b.js": "2" });
  await becomes(sides.remote, { "a.js": "there", "b.js": "2" });
  await put(sides.local, { "b.js": "3" });
  await becomes(sides.remote, { "a.js": "there", "b.js": "3" });
  expect(await read(sides.local)).toEqual({ "a.js": "here", "b.js": "3" });
  expect(told.every(({ conflicts }) => conflicts.join() === "a.js")).toBe(true);
  expect(told.filter(({ toRemote }) => toRemote.length === 0).length).toBeLessThan(2);
});

test("what one side removes and the other changes is changed on both", async () => {
  await put(sides.local, { "a.js": "1", "d/b.js": "1", "d/c.js": "1", "z.js": "1" });
  begin();
  await becomes(sides.remote, { "a.js": "1", "d/b.js": "1", "d/c.js": "1", "z.js": "1" });
  stop.abort();
  await ended;
  await rm(path.join(sides.local, "a.js"));
  await rm(path.join(sides.local, "d"), { recursive: true });
  await put(sides.remote, { "a.js": "2", "d/b.js": "2" });
  stop = new AbortController();
  begin();
  await becomes(sides.local, { "a.js": "2", "d/b.js": "2", "z.js": "1" });
  await becomes(sides.remote, { "a.js": "2", "d/b.js": "2", "z.js": "1" });
  expect(told.flatMap(({ revived }) => revived)).toEqual(["a.js", "d/b.js"]);
});

test("after a storm of renames both sides have the last names", async () => {
  const names = Array.from({ length: 200 }, (_, index) => `${index % 10}/${index}.js`);
  await put(sides.local, Object.fromEntries(names.map((name) => [name, name])));
  begin();
  await becomes(sides.remote, await read(sides.local));
  for (let round = 0; round < 4; round += 1) {
    for (let folder = 0; folder < 10; folder += 1)
      await rename(
        path.join(sides.local, `${folder}${".".repeat(round)}`),
        path.join(sides.local, `${folder}${".".repeat(round + 1)}`),
      );
    for (let index = 0; index < 200; index += 3) {
      const folder = path.join(sides.local, `${index % 10}${".".repeat(round + 1)}`);
      await rename(path.join(folder, `${index}.js`), path.join(folder, "passing"));
      await rename(path.join(folder, "passing"), path.join(folder, `${index}.js`));
    }
  }
  await becomes(sides.remote, await read(sides.local));
  expect(Object.keys(await read(sides.remote))).toContain("3..../33.js");
});

/** Goes on until the merge has been asked for as often as there are words: each halts, halts while something happens, or does nothing. */
async function scopesOf(words: readonly ("halt" | "halt in a storm" | "nothing")[]): Promise<{
  readonly scopes: readonly string[];
  readonly ended: string;
}> {
  const scopes: string[] = [];
  const left = words.values();
  const nothing = {
    toLocal: [],
    toRemote: [],
    conflicts: [],
    revived: [],
    left: new Map(),
    displaced: null,
  };
  const kept = {
    local: sides.local,
    watchRemote: (onEvent: () => void) => new TreeWatch(sides.remote, onEvent),
  };
  const merge: Merge<TreeWatch> = async ({ scope }, watches) => {
    watches.local.follow("");
    scopes.push(scope);
    const word = left.next().value;
    if (scopes.length >= words.length) stop.abort();
    if (word === "halt in a storm") await writeFile(path.join(sides.local, "renamed"), word);
    if (word === "nothing" || word === undefined) return nothing;
    throw syncEmptied("workspace", 100);
  };
  try {
    for await (const _ of keepSame(kept, merge, { prefer: null, signal: stop.signal }));
    return { scopes, ended: "" };
  } catch (error) {
    return { scopes, ended: error instanceof Problem ? error.code : messageOf(error) };
  }
}

test("files that seem to have gone while something happens are looked at until nothing does, and end nothing if they are there", async () => {
  const words = ["halt", "halt in a storm", "halt in a storm", "nothing"] as const;
  expect(await scopesOf(words)).toEqual({ scopes: ["all", "all", "all", "all"], ended: "" });
});

test("files that have gone end it after a second look in which nothing happens", async () => {
  const { scopes, ended: code } = await scopesOf(["halt", "halt in a storm", "halt", "nothing"]);
  expect([scopes.length, code]).toEqual([3, "sync_emptied"]);
});

test("where a side is preferred a conflict is settled by it, and the other's bytes are kept", async () => {
  await put(sides.local, { "a.js": "here" });
  await put(sides.remote, { "a.js": "there" });
  begin("remote");
  await becomes(sides.local, { "a.js": "there" });
  await tells(1);
  expect(await readFile(path.join(told[0]?.displaced ?? "", "a.js"), "utf8")).toBe("here");
});

test("many files that vanish at once are not removed from the other side", async () => {
  const files = Object.fromEntries(
    Array.from({ length: 50 }, (_, index) => [`${String(index).padStart(2, "0")}.js`, "1"]),
  );
  await put(sides.local, files);
  begin();
  await becomes(sides.remote, files);
  await rename(sides.remote, path.join(root, "away"));
  await mkdir(sides.remote);
  // As it was looked at before, in between, or after.
  expect(["sync_replaced", "sync_unreadable"]).toContain(await ended);
  expect(await read(sides.local)).toEqual(files);
});

test("a side that is emptied at once takes nothing with it", async () => {
  await put(sides.local, { "a/a.js": "1", "a/b.js": "2", "c.js": "3" });
  begin();
  await becomes(sides.remote, { "a/a.js": "1", "a/b.js": "2", "c.js": "3" });
  const outside = path.join(root, "outside");
  await mkdir(outside);
  // While git seems to be at work nothing is looked at: all of it goes as one.
  await git("init", "-q", "-b", "main");
  const lock = path.join(sides.local, ".git", "index.lock");
  await writeFile(lock, "");
  for (const name of ["a", "c.js"])
    await rename(path.join(sides.remote, name), path.join(outside, name));
  await rm(lock);
  expect(await ended).toBe("sync_emptied");
  expect(Object.keys(await read(sides.local))).toEqual(["a/a.js", "a/b.js", "c.js"]);
});

test("a root that is not there ends it, and takes nothing with it", async () => {
  await put(sides.local, { "a.js": "1" });
  begin();
  await becomes(sides.remote, { "a.js": "1" });
  // Away in one step: a scan in the midst of a removal sees files that are gone.
  await rename(sides.remote, path.join(root, "away"));
  await put(sides.local, { "b.js": "1" });
  expect(await ended).toBe("sync_gone");
  expect(await read(sides.local)).toEqual({ "a.js": "1", "b.js": "1" });
});

test("a switch of branches that removes most files arrives as it is, and back again", async () => {
  const many = Object.fromEntries(
    Array.from({ length: 60 }, (_, index) => [`${String(index).padStart(2, "0")}/x.js`, "1"]),
  );
  await put(sides.local, { ...many, "a.js": "1" });
  await git("init", "-q", "-b", "main");
  await git("add", "-A");
  await git("commit", "-qm", "many");
  await git("switch", "-qc", "few");
  await git("rm", "-rq", ...Object.keys(many));
  await git("commit", "-qm", "few");
  await git("switch", "-q", "main");
  begin();
  await becomes(sides.remote, { ...many, "a.js": "1" });
  await git("switch", "-q", "few");
  await becomes(sides.remote, { "a.js": "1" });
  await git("switch", "-q", "main");
  await becomes(sides.remote, { ...many, "a.js": "1" });
  await tells(3);
  expect(told.flatMap(({ conflicts }) => conflicts)).toEqual([]);
});

test("while git holds its lock nothing is taken over", async () => {
  await put(sides.local, { "a.js": "1" });
  await git("init", "-q", "-b", "main");
  begin();
  await becomes(sides.remote, { "a.js": "1" });
  const lock = path.join(sides.local, ".git", "index.lock");
  await writeFile(lock, "");
  await tells(1);
  await put(sides.local, { "a.js": "half" });
  await put(sides.local, { "a.js": "whole" });
  await rm(lock);
  await becomes(sides.remote, { "a.js": "whole" });
  await tells(2);
  expect(told.at(-1)?.toRemote).toEqual(["a.js"]);
});
