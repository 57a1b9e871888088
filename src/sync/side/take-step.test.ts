import { createHash } from "node:crypto";
import {
  lchown,
  lstat,
  readdir,
  readFile,
  rename,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import path from "node:path";
import { Worker } from "node:worker_threads";

import { afterEach, beforeEach, expect, test } from "vitest";

import { type Folders, openFolders, openSide, put, read } from "../../../test/sync/folders.ts";
import { MemoryDisk } from "../../../test/sync/memory-disk.ts";
import type { Entry } from "../core/tree.ts";
import { inStore, inTree } from "../disk/disk.ts";
import { Trash } from "../disk/trash.ts";
import { push } from "../sync.ts";
import { type Step, takeStep } from "./take-step.ts";

let folders: Folders;
let local: string;
let remote: string;

beforeEach(async () => {
  folders = await openFolders();
  ({ local, remote } = folders.sides);
});
afterEach(async () => folders.close());

const fileOf = (text: string): Entry => ({
  kind: "file",
  hash: createHash("sha256").update(text).digest("hex"),
  executable: false,
});

test("what changes between the look and the step is not overwritten, and nothing lies aside", async () => {
  await put(remote, { a: "changed meanwhile", b: "changed meanwhile", l: "->a" });
  const side = openSide(remote, folders.sides.home);
  const link: Entry = { kind: "link", target: "x" };
  const plan = {
    removals: [{ path: "a", expected: fileOf("stale") }],
    puts: [
      { path: "b", entry: fileOf("new"), expected: fileOf("stale") },
      { path: "l", entry: fileOf("new"), expected: { kind: "link", target: "stale" } as const },
      { path: "b/inner", entry: fileOf("new"), expected: undefined },
    ],
  };
  const { done, left } = await side.apply(plan, { read: () => [Buffer.from("new")] });
  expect([done.size, [...left.values()].map(({ code }) => code)]).toEqual([
    0,
    ["sync_conflict", "sync_conflict", "sync_conflict", "sync_blocked"],
  ]);
  const over = { removals: [], puts: [{ path: "a", entry: link, expected: undefined }] };
  expect((await side.apply(over, { read: () => [] })).left.get("a")?.code).toBe("sync_conflict");
  await side.commit();
  expect(await read(remote)).toEqual({ a: "changed meanwhile", b: "changed meanwhile", l: "->a" });
  expect(await readdir(path.join(folders.sides.home, "staged"))).toEqual([]);
});

test("what does not arrive as it was seen is not put", async () => {
  const side = openSide(remote, folders.sides.home);
  const plan = { removals: [], puts: [{ path: "a", entry: fileOf("new"), expected: undefined }] };
  const { left } = await side.apply(plan, { read: () => [Buffer.from("something else")] });
  expect(left.get("a")?.code).toBe("sync_conflict");
  expect(await read(remote)).toEqual({});
});

/** What stands where, after somebody acted just before the system call of that number. */
async function replaceWhile(
  act: (disk: MemoryDisk) => void,
  options: { readonly at: number; readonly exchanges: "yes" | "no" },
): Promise<readonly (string | undefined)[]> {
  let calls = 0;
  const disk: MemoryDisk = new MemoryDisk({
    onCall: () => {
      calls += 1;
      if (calls === options.at) act(disk);
    },
    onEvent: () => undefined,
    now: () => calls,
    exchanges: options.exchanges,
  });
  save(disk, "old");
  disk.put(inStore("staged/1"), disk.make("file"));
  const staged = disk.find(inStore("staged/1"));
  if (staged !== undefined) disk.change(staged, "new");
  const step: Step = { path: "a", expected: fileOf("old"), entry: fileOf("new"), aside: "1" };
  calls = 0;
  const hands = { disk, trash: new Trash(disk, "time"), isAsRead: () => false };
  const taken = takeStep(step, hands).then(
    () => "taken",
    () => "left",
  );
  const texts = ["trash/time/a", "trash/time-2/a"].map((name) => disk.find(inStore(name))?.text);
  return [await taken, disk.find(inTree("a"))?.text, ...texts];
}

function save(disk: MemoryDisk, text: string): void {
  const inode = disk.make("file");
  disk.put(inTree("a"), inode);
  disk.change(inode, text);
}

test.each(["yes", "no"] as const)(
  "whenever somebody saves while a file is replaced, his bytes stand there in the end (exchange: %s)",
  async (exchanges) => {
    for (let at = 1; at < 30; at += 1) {
      const act = (disk: MemoryDisk): void => save(disk, "saved");
      const [outcome, text] = await replaceWhile(act, { at, exchanges });
      // After the last call nobody has acted yet.
      expect(["saved", outcome === "taken" ? "new" : "saved"]).toContain(text);
    }
  },
);

test("only whether a file can be run travels with it", async () => {
  await put(local, { run: "+x1", data: "1" });
  await push(folders.sides, { force: false });
  expect((await stat(path.join(remote, "run"))).mode & 0o7777).toBe(0o755);
  expect((await stat(path.join(remote, "data"))).mode & 0o7777).toBe(0o644);
});

test(
  "as root, what is written belongs to the owner of the tree",
  { skip: process.getuid?.() !== 0 },
  async () => {
    await lchown(remote, 23_456, 23_456);
    // Many files at once are put by threads.
    const many = Array.from({ length: 20 }, (_, index) => [`many/${index}`, "1"]);
    await put(local, { "a/b/c": "1", l: "->a", "empty/": "", ...Object.fromEntries(many) });
    await push(folders.sides, { force: false });
    const names = await readdir(remote, { recursive: true });
    const owners = await Promise.all(
      names.map(async (name) => (await lstat(path.join(remote, name))).uid),
    );
    expect(new Set(owners)).toEqual(new Set([23_456]));
  },
);

/** Reads a file again and again in a thread of its own, and tells what it has seen at the end. */
async function watchTexts(file: string, work: () => Promise<void>): Promise<ReadonlySet<string>> {
  const program = `
    const { readFileSync } = require("node:fs");
    const { parentPort, workerData } = require("node:worker_threads");
    const seen = new Set();
    let isOver = false;
    parentPort.on("message", () => { isOver = true; });
    const look = () => {
      for (let count = 0; count < 50; count += 1)
        try { seen.add(readFileSync(workerData, "utf8").slice(0, 1)); } catch { seen.add("nothing"); }
      if (isOver) parentPort.postMessage(seen); else setImmediate(look);
    };
    look();`;
  const reader = new Worker(program, { eval: true, workerData: file });
  await work();
  const seen = new Promise<ReadonlySet<string>>((resolve) => reader.once("message", resolve));
  reader.postMessage("over");
  const texts = await seen;
  await reader.terminate();
  return texts;
}

test("a reader sees the old bytes or the new ones, never a part and never nothing", async () => {
  const texts = ["a", "b", "c", "d", "e", "f"];
  await put(local, { file: "a".repeat(300_000) });
  await push(folders.sides, { force: false });
  const seen = await watchTexts(path.join(remote, "file"), async () => {
    for (const text of texts) {
      await writeFile(path.join(local, "next"), text.repeat(300_000));
      await rename(path.join(local, "next"), path.join(local, "file"));
      await push(folders.sides, { force: false });
    }
  });
  expect([...seen].filter((text) => !texts.includes(text))).toEqual([]);
  expect((await readFile(path.join(remote, "file"), "utf8")).startsWith("ffff")).toBe(true);
});

test("a link that leads out of the tree stands in the way of what must be put below it", async () => {
  const outside = path.join(folders.root, "outside");
  await put(outside, { key: "precious" });
  await put(local, { "d/key": "evil", "d/new": "evil" });
  await symlink(outside, path.join(remote, "d"));
  const { changed, left } = await push(folders.sides, { force: true });
  expect([changed, left.map(({ code }) => code)]).toEqual([[], ["sync_blocked", "sync_blocked"]]);
  expect(await read(outside)).toEqual({ key: "precious" });
});
