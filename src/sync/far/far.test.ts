import { mkdirSync, renameSync } from "node:fs";
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  realpath,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { codeOf, OtherMachine } from "../../../test/sync/other-machine.ts";
import { waitFor } from "../../base/clock.ts";
import type { Problem } from "../../base/problem.ts";
import { removeInside } from "../../base/remove-inside.ts";
import { compareFar, describeMerge, keepFarMerged, transferFar } from "../sync.ts";

const NOTHING = { local: [], remote: [], conflicts: [] };

let folder: string;
let here: string;
let there: string;
let machine: OtherMachine;

beforeEach(async () => {
  folder = await realpath(await mkdtemp(path.join(tmpdir(), "ramet-far-")));
  here = path.join(folder, "here");
  there = path.join(folder, "there");
  await mkdir(here);
  await mkdir(there);
  machine = new OtherMachine({ local: here, remote: there, home: path.join(folder, "store") });
});
afterEach(async () => {
  machine.close();
  await removeInside(path.dirname(folder), folder);
});

async function put(root: string, name: string, text: string): Promise<void> {
  await mkdir(path.dirname(path.join(root, name)), { recursive: true });
  await writeFile(path.join(root, name), text);
}

async function listFiles(root: string): Promise<readonly string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
    .filter((name) => !name.startsWith(".ramet"))
    .toSorted();
}

const push = async (force = false): ReturnType<typeof transferFar> =>
  transferFar(machine.sides, { force }, "push");
const pull = async (force = false): ReturnType<typeof transferFar> =>
  transferFar(machine.sides, { force }, "pull");

test("a push brings files of all kinds, and their executable bit, and a second one nothing", async () => {
  await put(here, "a.txt", "a\n");
  await put(here, "deep/er/b.txt", "b\n");
  await put(here, "empty", "");
  await put(here, "run.sh", "#!/bin/sh\n");
  await chmod(path.join(here, "run.sh"), 0o755);
  await symlink("a.txt", path.join(here, "link"));
  const { changed, displaced, left } = await push();
  expect(changed).toEqual(["a.txt", "deep/er/b.txt", "empty", "link", "run.sh"]);
  expect({ displaced, left }).toEqual({ displaced: null, left: [] });
  expect(await listFiles(there)).toEqual(["a.txt", "deep/er/b.txt", "empty", "link", "run.sh"]);
  expect(await readFile(path.join(there, "deep/er/b.txt"), "utf8")).toBe("b\n");
  expect((await stat(path.join(there, "run.sh"))).mode & 0o777).toBe(0o755);
  expect(await readlink(path.join(there, "link"))).toBe("a.txt");
  machine.mend();
  expect((await push()).changed).toEqual([]);
  expect(machine.messages).not.toContain("stage");
  expect(await compareFar(machine.sides)).toMatchObject(NOTHING);
});

test("a pull brings what changed there, small files together and large ones in pieces", async () => {
  const names = Array.from({ length: 300 }, (_, index) => `small/${index}.txt`);
  for (const name of names) await put(there, name, `this is ${name}\n`);
  const large = Buffer.alloc(5_000_001, "0123456789abcdefghijklm");
  await writeFile(path.join(there, "large.bin"), large);
  expect((await pull()).changed).toHaveLength(301);
  expect((await readFile(path.join(here, "large.bin"))).equals(large)).toBe(true);
  expect(await readFile(path.join(here, "small/299.txt"), "utf8")).toBe("this is small/299.txt\n");
  expect(machine.messages.filter((name) => name === "read").length).toBeLessThan(12);
});

test("a large file is pushed in pieces, and arrives as it was", async () => {
  const large = Buffer.alloc(7_340_032, "the quick brown fox ");
  await writeFile(path.join(here, "large.bin"), large);
  await push();
  expect((await readFile(path.join(there, "large.bin"))).equals(large)).toBe(true);
  expect(machine.messages.filter((name) => name === "stage").length).toBeGreaterThan(2);
});

test("what both sides changed is overwritten by neither, until it is said; then it is kept aside", async () => {
  await put(here, "a.txt", "first\n");
  await push();
  await put(here, "a.txt", "ours\n");
  await put(there, "a.txt", "theirs\n");
  expect(await compareFar(machine.sides)).toMatchObject({ ...NOTHING, conflicts: ["a.txt"] });
  expect(await codeOf(push())).toBe("sync_conflict");
  expect(await codeOf(pull())).toBe("sync_conflict");
  expect(await readFile(path.join(there, "a.txt"), "utf8")).toBe("theirs\n");
  const { displaced } = await push(true);
  expect(await readFile(path.join(there, "a.txt"), "utf8")).toBe("ours\n");
  expect(await readFile(path.join(displaced ?? "", "a.txt"), "utf8")).toBe("theirs\n");
});

test("what the workspace's rules leave out is looked at on neither side", async () => {
  await put(here, ".gitignore", "node_modules\n*.log\n");
  await put(here, "node_modules/x/index.js", "here\n");
  await put(there, "node_modules/y/index.js", "there\n");
  await put(there, "npm.log", "there\n");
  expect((await push(true)).changed).toEqual([".gitignore"]);
  expect(await listFiles(there)).toEqual([".gitignore", "node_modules/y/index.js", "npm.log"]);
  expect((await pull()).changed).toEqual([]);
});

test("what is held alike is known to the next command, also of so many files that it is read in parts", async () => {
  const deep = path.join(...Array.from({ length: 12 }, (_, level) => `${level}`.padEnd(250, "-")));
  const names = Array.from({ length: 400 }, (_, index) => path.join(deep, `${index}.txt`));
  await Promise.all(names.map(async (name) => put(here, name, "first\n")));
  await push();
  const [changed = "", removed = ""] = names;
  await put(here, changed, "second\n");
  await rm(path.join(here, removed));
  expect(await compareFar(machine.sides)).toMatchObject({ ...NOTHING, local: [changed, removed] });
  expect((await push()).changed).toEqual([changed, removed]);
  expect(await readFile(path.join(there, changed), "utf8")).toBe("second\n");
});

test("a removal is brought too, and a tree that was emptied is not taken for one", async () => {
  await put(here, "a.txt", "a\n");
  await put(here, "b.txt", "b\n");
  await push();
  await rm(path.join(here, "a.txt"));
  expect((await push()).changed).toEqual(["a.txt"]);
  await rm(path.join(here, "b.txt"));
  expect(await codeOf(push())).toBe("sync_emptied");
  expect(await listFiles(there)).toEqual(["b.txt"]);
});

test.each(["look", "stage", "apply", "commit"])(
  "a wire that breaks at %s loses nothing, and the next push goes on",
  async (name) => {
    await put(here, "a.txt", "first\n");
    await push();
    await put(here, "a.txt", "second\n");
    await put(here, "b.txt", "b\n");
    machine.mayPass = (message) => message !== name;
    expect(await codeOf(push())).toBe("connection_lost");
    expect(["first\n", "second\n"]).toContain(await readFile(path.join(there, "a.txt"), "utf8"));
    machine.mend();
    await push();
    expect(await readFile(path.join(there, "a.txt"), "utf8")).toBe("second\n");
    expect(await listFiles(there)).toEqual(["a.txt", "b.txt"]);
    expect(await compareFar(machine.sides)).toMatchObject(NOTHING);
  },
);

test("a tree that was made anew has nothing in common with what was there: nothing here is removed", async () => {
  await put(here, "a.txt", "a\n");
  await push();
  await rm(there, { recursive: true });
  await mkdir(there);
  expect(await codeOf(pull())).not.toBe("bug");
  expect(await listFiles(here)).toEqual(["a.txt"]);
});

async function arrives(file: string, text: string): Promise<true | undefined> {
  const look = async (): Promise<true | undefined> => {
    const found = await readFile(file, "utf8").catch(() => ""); // It is not there yet.
    return found === text ? true : undefined;
  };
  return waitFor(look, { timeoutMs: 20_000 });
}

test("edits of both sides go to the other while both are kept the same", async () => {
  const stop = new AbortController();
  const told: string[] = [];
  const keeping = (async () => {
    for await (const merged of keepFarMerged(machine.sides, { prefer: null, signal: stop.signal }))
      told.push(...describeMerge(merged));
  })();
  await put(here, "here.txt", "here\n");
  expect(await arrives(path.join(there, "here.txt"), "here\n")).toBe(true);
  await put(there, "there.txt", "there\n");
  expect(await arrives(path.join(here, "there.txt"), "there\n")).toBe(true);
  stop.abort();
  await keeping;
  expect(told.join("\n")).toContain("here.txt");
});

test.each([
  { what: "moved away", replaces: false, code: "sync_gone", left: [] },
  { what: "moved away and replaced", replaces: true, code: "sync_replaced", left: [[]] },
])(
  "a workspace that is $what while it is kept the same ends that, and gets none of the environment's files",
  async ({ replaces, code, left }) => {
    await put(here, "a.txt", "a\n");
    const keeping = (async () => {
      const options = { prefer: null, signal: AbortSignal.timeout(30_000) };
      for await (const merged of keepFarMerged(machine.sides, options)) describeMerge(merged);
    })();
    const ended = codeOf(keeping);
    expect(await arrives(path.join(there, "a.txt"), "a\n")).toBe(true);
    // In one turn: a look in between would find neither.
    renameSync(here, `${here}-moved`);
    if (replaces) mkdirSync(here);
    expect(await ended).toBe(code);
    const folders = (await readdir(folder)).filter((name) => name === "here");
    const lists = folders.map(async (name) => listFiles(path.join(folder, name)));
    expect(await Promise.all(lists)).toEqual(left);
  },
);

test("a wire that breaks ends the keeping with its problem, so that it can be begun anew", async () => {
  machine.mayPass = (message) => message !== "look";
  const options = { prefer: null, signal: new AbortController().signal };
  const keeping = (async () => {
    for await (const merged of keepFarMerged(machine.sides, options)) describeMerge(merged);
  })();
  expect(await codeOf(keeping)).toBe("connection_lost");
});

test("where nothing is heard of the other side's files, it is told, and they come over all the same", async () => {
  const stop = new AbortController();
  const told: string[] = [];
  machine.mayPass = (message) => message !== "wait";
  const onUnheard = ({ code }: Problem): number => told.push(code);
  const options = { prefer: null, signal: stop.signal, onUnheard };
  const keeping = (async () => {
    for await (const merged of keepFarMerged(machine.sides, options)) describeMerge(merged);
  })();
  await put(there, "there.txt", "there\n");
  expect(await arrives(path.join(here, "there.txt"), "there\n")).toBe(true);
  const isTold = (): true | undefined => (told.length > 0 ? true : undefined);
  expect(await waitFor(isTold, { timeoutMs: 20_000 })).toBe(true);
  await put(there, "there.txt", "again\n");
  expect(await arrives(path.join(here, "there.txt"), "again\n")).toBe(true);
  stop.abort();
  await keeping;
  expect(told).toEqual(["sync_unheard"]);
});
