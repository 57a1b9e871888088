import { execFile } from "node:child_process";
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";

import { Problem } from "../base/problem.ts";
import { writeAtomically } from "../base/write-atomically.ts";
import { compareSides, pull, push, type Sides } from "./sync.ts";

let root = "";
let sides: Sides = { local: "", remote: "", home: "" };
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "ramet-sync-"));
  sides = await openSides("one");
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

async function openSides(name: string): Promise<Sides> {
  const folder = path.join(root, name);
  const [local, remote] = [path.join(folder, "local"), path.join(folder, "remote")];
  await mkdir(local, { recursive: true });
  await mkdir(remote);
  return { local, remote, home: path.join(folder, "home") };
}

/** A text makes a file; one that begins with `->` makes a link. */
type Contents = Readonly<Record<string, string>>;

async function put(folder: string, contents: Contents): Promise<void> {
  for (const [name, text] of Object.entries(contents)) {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    if (text.startsWith("->")) await symlink(text.slice(2), file);
    else await writeAtomically(file, text, { mode: 0o644 });
  }
}

async function read(folder: string): Promise<Contents> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const pairs = entries
    .filter(
      (entry) =>
        !entry.isDirectory() && !/^\.ramet(\/|$)/.test(path.relative(folder, entry.parentPath)),
    )
    .map(async (entry): Promise<[string, string]> => {
      const file = path.join(entry.parentPath, entry.name);
      const text = entry.isSymbolicLink()
        ? `->${await readlink(file)}`
        : await readFile(file, "utf8");
      return [path.relative(folder, file), text];
    });
  return Object.fromEntries((await Promise.all(pairs)).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

const options = (force = false): { force: boolean } => ({ force });

async function problemOf(work: Promise<unknown>): Promise<Problem> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error("There was no problem.");
}

test("a push makes the environment equal, keeps what it displaced, and the next one has nothing to do", async () => {
  await put(sides.local, { "a.js": "1", "b/c.js": "1", link: "->a.js" });
  expect(await push(sides, options())).toEqual({
    changed: ["a.js", "b/c.js", "link"],
    displaced: null,
    left: [],
  });
  await put(sides.local, { "a.js": "2" });
  await rm(path.join(sides.local, "b"), { recursive: true });
  expect(await compareSides(sides)).toMatchObject({
    local: ["a.js", "b/c.js"],
    remote: [],
    conflicts: [],
    absent: { local: ["b/c.js"], remote: [] },
  });

  const { changed, displaced } = await push(sides, options());
  expect(changed).toEqual(["a.js", "b/c.js"]);
  expect(await read(displaced ?? "")).toEqual({ "a.js": "1", "b/c.js": "1" });
  expect(await read(sides.remote)).toEqual({ "a.js": "2", link: "->a.js" });
  expect(await readdir(sides.remote)).not.toContain("b");
  expect(await push(sides, options())).toEqual({ changed: [], displaced: null, left: [] });
});

test("a push refuses to overwrite what the environment changed, names it, and forced it keeps a copy", async () => {
  await put(sides.local, { a: "1", b: "1" });
  await push(sides, options());
  await put(sides.remote, { a: "theirs", new: "theirs" });
  await put(sides.local, { b: "ours" });
  expect(await compareSides(sides)).toMatchObject({
    local: ["b"],
    remote: ["a", "new"],
    conflicts: [],
    absent: { local: ["new"], remote: [] },
  });
  const before = await read(sides.remote);

  const problem = await problemOf(push(sides, options()));
  expect(problem.code).toBe("sync_conflict");
  expect(problem.message).toContain("a, new");
  expect(problem.remedy).toContain("ramet push --force");
  expect(problem.remedy).toContain("ramet pull");
  expect(await read(sides.remote)).toEqual(before);

  const { displaced } = await push(sides, options(true));
  expect(await read(sides.remote)).toEqual({ a: "1", b: "ours" });
  expect(await read(displaced ?? "")).toEqual({ a: "theirs", b: "1", new: "theirs" });
});

test("a problem names five paths and counts the others", async () => {
  await put(
    sides.remote,
    Object.fromEntries(["a", "b", "c", "d", "e", "f", "g"].map((name) => [name, "1"])),
  );
  await put(sides.local, { z: "1" });
  expect((await problemOf(push(sides, options()))).message).toContain("a, b, c, d, e and 2 more");
});

test("a pull takes the environment's changes over, and refuses to overwrite the workspace's", async () => {
  await put(sides.local, { a: "1" });
  await push(sides, options());
  await put(sides.remote, { a: "2", "dir/new": "2" });
  expect((await pull(sides, options())).changed).toEqual(["a", "dir/new"]);
  expect(await read(sides.local)).toEqual({ a: "2", "dir/new": "2" });
  await put(sides.local, { a: "mine" });
  expect((await problemOf(pull(sides, options()))).remedy).toContain("ramet pull --force");
  expect(await read(sides.local)).toEqual({ a: "mine", "dir/new": "2" });
});

test("an empty side empties the other only when forced", async () => {
  await put(sides.local, { a: "1", b: "1" });
  await push(sides, options());
  await rm(path.join(sides.local, "a"));
  await rm(path.join(sides.local, "b"));
  expect((await problemOf(push(sides, options()))).code).toBe("sync_emptied");
  await push(sides, options(true));
  expect(await read(sides.remote)).toEqual({});
});

test("many files that are gone on one side are removed from the other only when forced", async () => {
  const names = Array.from({ length: 30 }, (_, index) => `f${index}`);
  await put(sides.local, Object.fromEntries(names.map((name) => [name, name])));
  await push(sides, options());
  for (const name of names.slice(5)) await rm(path.join(sides.local, name));
  expect((await problemOf(push(sides, options()))).message).toContain("25 of 30 files");
  expect(Object.keys(await read(sides.remote))).toHaveLength(30);
  expect((await push(sides, options(true))).changed).toHaveLength(25);
});

test("a side that is missing is not an empty one", async () => {
  await put(sides.remote, { a: "1" });
  const missing = { ...sides, local: path.join(root, "missing") };
  expect((await problemOf(push(missing, options(true)))).code).toBe("sync_gone");
  expect((await problemOf(push({ ...sides, remote: missing.local }, options(true)))).code).toBe(
    "sync_gone",
  );
  expect(await read(sides.remote)).toEqual({ a: "1" });
});

test("a file that may not be read is named, and not taken for the same", async () => {
  await put(sides.local, { a: "1", locked: "1" });
  await push(sides, options());
  await put(sides.local, { locked: "2" });
  await chmod(path.join(sides.local, "locked"), 0o000);
  const { local, unread } = await compareSides(sides);
  // Root reads it all the same.
  expect(process.getuid?.() === 0 ? local : unread).toEqual(["locked"]);
});

test("a side that was made anew has not deleted what it lacks", async () => {
  await put(sides.local, { a: "1", b: "1" });
  await push(sides, options());
  await rename(sides.remote, path.join(root, "old"));
  await put(sides.remote, { a: "1" });
  expect(await compareSides(sides)).toMatchObject({ local: ["b"], remote: [], conflicts: [] });
  await push(sides, options());
  await rename(sides.local, path.join(root, "old-workspace"));
  await put(sides.local, { b: "1" });
  expect(await compareSides(sides)).toMatchObject({ local: [], remote: ["a"], conflicts: [] });
});

test("what was the same when it was last compared is known to be changed by one side alone", async () => {
  await put(sides.local, { a: "1", b: "mine", c: "1" });
  await put(sides.remote, { a: "1", b: "theirs", c: "1" });
  expect(await compareSides(sides)).toMatchObject({ local: [], remote: [], conflicts: ["b"] });
  await put(sides.local, { a: "2" });
  await put(sides.remote, { c: "2" });
  expect(await compareSides(sides)).toMatchObject({
    local: ["a"],
    remote: ["c"],
    conflicts: ["b"],
  });
});

test("what one workspace pushed is never reverted by another that was the same before", async () => {
  await put(sides.local, { a: "1" });
  const second = { ...sides, local: path.join(root, "second") };
  await put(second.local, { a: "1" });
  await push(sides, options());
  await compareSides(second);
  await put(sides.local, { a: "2" });
  await push(sides, options());
  await put(second.local, { b: "new" });
  expect(await compareSides(second)).toMatchObject({ local: ["b"], remote: ["a"], conflicts: [] });
  expect((await problemOf(push(second, options()))).code).toBe("sync_conflict");
  expect(await read(sides.remote)).toEqual({ a: "2" });
});

test("the workspace's git decides for both sides what belongs to the tree", async () => {
  const env = { PATH: process.env["PATH"], HOME: root, GIT_CONFIG_NOSYSTEM: "1" };
  await promisify(execFile)("git", ["init", "-q"], { cwd: sides.local, env });
  await put(sides.local, {
    ".gitignore": "dist\n*.log\n",
    a: "1",
    "dist/x": "local",
    "node_modules/m": "1",
    "x.log": "1",
  });
  await put(sides.remote, {
    "dist/y": "remote",
    "logs/z.log": "1",
    "node_modules/n": "1",
    ".ramet/e": "1",
    ".ramet-0123456789ab.tmp": "1",
  });
  const before = await read(sides.remote);
  expect((await push(sides, options())).changed).toEqual([".gitignore", "a"]);
  expect(await read(sides.remote)).toEqual({ ...before, ".gitignore": "dist\n*.log\n", a: "1" });
});

test("a file and a folder change places", async () => {
  await put(sides.local, { "a/b": "1", c: "1" });
  await push(sides, options());
  await rm(path.join(sides.local, "a"), { recursive: true });
  await rm(path.join(sides.local, "c"));
  await put(sides.local, { a: "now a file", "c/d": "now a folder" });
  const { displaced } = await push(sides, options());
  expect(await read(sides.remote)).toEqual({ a: "now a file", "c/d": "now a folder" });
  expect(await read(displaced ?? "")).toEqual({ "a/b": "1", c: "1" });
});

const PATHS = ["a", "a/b", "a/b/c", "d", "d/e", ".f"];
const contents = fc
  .array(fc.tuple(fc.constantFrom(...PATHS), fc.constantFrom("1", "2", "3", "->a", "->nowhere")), {
    maxLength: 6,
  })
  .map((entries): Contents => {
    const made = new Map<string, string>();
    for (const [name, text] of entries) {
      const isFree = [...made.keys()].every(
        (other) => !other.startsWith(`${name}/`) && !name.startsWith(`${other}/`),
      );
      if (isFree) made.set(name, text);
    }
    return Object.fromEntries(made);
  });

test("after a forced push or pull the sides are equal, and all that one side alone had is kept", async () => {
  let count = 0;
  const run = async (local: Contents, remote: Contents, direction: typeof push): Promise<void> => {
    count += 1;
    const pair = await openSides(`run-${count}`);
    await put(pair.local, local);
    await put(pair.remote, remote);
    const [from, to] = direction === push ? [local, remote] : [remote, local];
    const { displaced } = await direction(pair, {
      force: true,
    });

    expect(await read(pair.local)).toEqual(await read(pair.remote));
    expect(Object.entries(await read(pair.remote))).toEqual(
      Object.entries(from).toSorted(([a], [b]) => (a < b ? -1 : 1)),
    );
    const kept = displaced === null ? {} : await read(displaced);
    const lost = Object.entries(to).filter(([name, text]) => from[name] !== text);
    expect(kept).toEqual(Object.fromEntries(lost));
    expect(await compareSides(pair)).toMatchObject({ local: [], remote: [], conflicts: [] });
  };
  await fc.assert(fc.asyncProperty(contents, contents, fc.constantFrom(push, pull), run), {
    numRuns: 40,
  });
});
