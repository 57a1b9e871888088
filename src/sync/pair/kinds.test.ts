import { execFile } from "node:child_process";
import {
  chmod,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

import { afterEach, beforeEach, expect, test } from "vitest";

import { type Folders, openFolders, put, read } from "../../../test/sync/folders.ts";
import { compareSides, pull, push } from "../sync.ts";

const MB = 2 ** 20;

let folders: Folders;
let local: string;
let remote: string;

beforeEach(async () => {
  folders = await openFolders();
  ({ local, remote } = folders.sides);
});
afterEach(async () => folders.close());

const plainly = { force: false } as const;

async function git(...args: readonly string[]): Promise<void> {
  const identity = ["-c", "user.name=t", "-c", "user.email=t@t.test"];
  await promisify(execFile)("git", [...identity, ...args], { cwd: local });
}

test("empty folders travel, are filled and emptied, and go", async () => {
  await put(local, { "empty/": "", "deep/er/": "", "full/a": "1" });
  expect((await push(folders.sides, plainly)).changed).toEqual(["deep/er/", "empty/", "full/a"]);
  expect(await read(remote)).toEqual({ "deep/er/": "", "empty/": "", "full/a": "1" });
  await put(local, { "empty/b": "1" });
  await rm(path.join(local, "full/a"));
  await rm(path.join(local, "deep"), { recursive: true });
  await push(folders.sides, plainly);
  expect(await read(remote)).toEqual({ "empty/b": "1", "full/": "" });
  expect(await compareSides(folders.sides)).toMatchObject({ local: [], remote: [], conflicts: [] });
});

test("a folder that holds only what is left out is not removed with its files", async () => {
  await put(local, { "a/b": "1", c: "1" });
  await push(folders.sides, plainly);
  await put(remote, { "a/node_modules/x": "kept" });
  await rm(path.join(local, "a"), { recursive: true });
  await push(folders.sides, plainly);
  expect(await read(remote)).toEqual({ "a/node_modules/x": "kept", c: "1" });
});

test("a change of line ends alone, of a mode alone, and of both travels as it is", async () => {
  await put(local, { "a.txt": "1\n2\n", "run.sh": "echo\n", both: "1\n" });
  await push(folders.sides, plainly);
  await put(local, { "a.txt": "1\r\n2\r\n", both: "1\r" });
  await chmod(path.join(local, "run.sh"), 0o755);
  await chmod(path.join(local, "both"), 0o755);
  expect((await push(folders.sides, plainly)).changed).toEqual(["a.txt", "both", "run.sh"]);
  expect(await read(remote)).toEqual({
    "a.txt": "1\r\n2\r\n",
    both: "+x1\r",
    "run.sh": "+xecho\n",
  });
});

test("a file that turns into a link, and a link into a file, change on the other side too", async () => {
  await put(local, { a: "1", l: "->a" });
  await push(folders.sides, plainly);
  await rm(path.join(local, "a"));
  await rm(path.join(local, "l"));
  await put(local, { a: "->l", l: "now a file" });
  const { displaced } = await push(folders.sides, plainly);
  expect(await read(remote)).toEqual({ a: "->l", l: "now a file" });
  expect(await read(displaced ?? "")).toEqual({ a: "1", l: "->a" });
});

test("links that lead out, and links in a circle, are no part of the tree and harm nothing", async () => {
  await put(local, {
    "in/a": "1",
    out: "->/etc/passwd",
    "in/up": "->../../x",
    "in/self": "->../in",
  });
  await put(local, { one: "->other", other: "->one" });
  const pushed = await push(folders.sides, plainly);
  expect(pushed).toMatchObject({ changed: ["in/a", "in/self", "one", "other"], left: [] });
  expect(Object.keys(await read(remote))).toEqual(["in/a", "in/self", "one", "other"]);
});

test("names in both Unicode forms, and in both cases, are names of their own where the disk has them so", async () => {
  const words = { "\u00e9": "composed", "e\u0301": "decomposed", A: "upper", a: "lower" };
  await put(local, words);
  const there = await read(local);
  await push(folders.sides, plainly);
  expect(await read(remote)).toEqual(there);
});

test("a name that changes its case alone has that case on the other side", async () => {
  await put(local, { "Readme.md": "1", "src/App.ts": "1" });
  await push(folders.sides, plainly);
  await rename(path.join(local, "Readme.md"), path.join(local, "README.md"));
  await rename(path.join(local, "src"), path.join(local, "Src"));
  await push(folders.sides, plainly);
  expect(await read(remote)).toEqual({ "README.md": "1", "Src/App.ts": "1" });
});

test("a name whose bytes are no text is left, and others go on", async () => {
  await put(local, { a: "1" });
  await writeFile(Buffer.concat([Buffer.from(`${local}/`), Buffer.from([0xff, 0x61])]), "1");
  expect((await push(folders.sides, plainly)).changed).toEqual(["a"]);
});

test("what becomes ignored stays where it is, on both sides", async () => {
  await git("init", "-q", "-b", "main");
  await put(local, { "dist/a": "1", b: "1", "tracked.log": "1" });
  await git("add", "tracked.log");
  await push(folders.sides, plainly);
  await put(local, { ".gitignore": "dist\n*.log\n", "dist/a": "2", "tracked.log": "2" });
  expect((await push(folders.sides, plainly)).changed).toEqual([".gitignore", "tracked.log"]);
  expect(await read(remote)).toMatchObject({ "dist/a": "1", "tracked.log": "2" });
  await put(local, { ".gitignore": "" });
  expect(await compareSides(folders.sides)).toMatchObject({
    local: [".gitignore"],
    conflicts: ["dist/a"],
  });
});

test("another repository inside the tree is no part of it; on either side", async () => {
  await git("init", "-q", "-b", "main");
  await put(local, { a: "1", "inner/b": "1", "inner/deep/c": "1" });
  await promisify(execFile)("git", ["init", "-q"], { cwd: path.join(local, "inner") });
  expect((await push(folders.sides, plainly)).changed).toEqual(["a"]);
  await put(remote, { "other/.git/HEAD": "x", "other/d": "1" });
  expect(await compareSides(folders.sides)).toMatchObject({ local: [], remote: [], conflicts: [] });
});

test("an ignored folder is not looked into, however many files it has", async () => {
  await git("init", "-q", "-b", "main");
  await put(local, { ".gitignore": "cache\n", a: "1", "cache/x/y": "1" });
  const before = (await stat(path.join(local, "cache/x"), { bigint: true })).atimeNs;
  // A folder that was read has been read since it was changed last: its time of access tells.
  await put(local, { "cache/x/z": "1" });
  expect((await push(folders.sides, plainly)).changed).toEqual([".gitignore", "a"]);
  expect((await stat(path.join(local, "cache/x"), { bigint: true })).atimeNs).toBe(before);
});

test("a file of 192 MB comes across without being held in memory", async () => {
  await mkdir(path.join(local, "big"), { recursive: true });
  const file = await open(path.join(local, "big/file"), "w");
  await file.truncate(192 * MB);
  await file.write("the end", 192 * MB - 7);
  await file.close();
  let most = 0;
  const done = new AbortController();
  const watching = watchMemory(done.signal, (bytes) => (most = Math.max(most, bytes)));
  const before = process.memoryUsage().rss;
  await push(folders.sides, plainly);
  done.abort();
  await watching;
  expect((await stat(path.join(remote, "big/file"))).size).toBe(192 * MB);
  expect((most - before) / MB).toBeLessThan(64);
});

async function watchMemory(signal: AbortSignal, tell: (bytes: number) => void): Promise<void> {
  while (!signal.aborted) {
    tell(process.memoryUsage().rss);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test("a push that is interrupted by unreadable files does the others, and says which are left", async () => {
  await put(local, { a: "1", "d/b": "1" });
  await put(remote, {
    d: "a file in the way of a folder that nobody transfers",
    "e/node_modules/x": "1",
  });
  await put(local, { e: "a file" });
  const { changed, left } = await push(folders.sides, { force: true });
  expect(changed).toEqual(["a", "d", "d/b"]);
  expect(left.map(({ code, message }) => [code, message])).toEqual([
    ["sync_blocked", expect.stringContaining("e")],
  ]);
  expect(await read(remote)).toEqual({ a: "1", "d/b": "1", "e/node_modules/x": "1" });
});

test("nothing is left beside the trash, in the workspace and with the environment", async () => {
  await put(local, { a: "1" });
  await push(folders.sides, plainly);
  await put(remote, { a: "2" });
  await pull(folders.sides, plainly);
  const stores = [path.join(local, ".ramet"), folders.sides.home];
  for (const store of stores) {
    expect(await readdir(path.join(store, "staged"))).toEqual([]);
    const [intent = "", ...others] = await readdir(path.join(store, "intents"));
    expect(others).toEqual([]);
    // One that is done with begins with a blank line, and stays for the next.
    expect(await readFile(path.join(store, "intents", intent), "utf8")).toMatch(/^\n/);
  }
});
