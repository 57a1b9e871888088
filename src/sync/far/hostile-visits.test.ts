import { createHash, randomBytes } from "node:crypto";
import { readdir, readFile, rename, symlink, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { type Folders, listOpenIn, openFolders, put, read } from "../../../test/sync/folders.ts";
import { codeOf } from "../../../test/sync/other-machine.ts";
import type { Entry } from "../core/tree.ts";
import { openServedTree } from "../sync.ts";
import type { ServedTree } from "../sync.ts";
import { MOST_BATCH_BYTES, packBatch, type BytesPart } from "./batch.ts";
import { LARGE_BYTES } from "./pieces.ts";

const PAIR = "0123456789abcdef";
const EVIL = Buffer.from("evil");
const EVIL_FILE = fileOf(EVIL);
const TREE = { "a.txt": "a\n", "in/b.txt": "b\n", up: "->../outside" };
const OUTSIDE = { key: "precious", "b.txt": "precious" };

let folders: Folders;
let tree: string;
let outside: string;
let served: ServedTree;

beforeEach(async () => {
  folders = await openFolders();
  tree = folders.sides.remote;
  outside = path.join(folders.root, "outside");
  await put(outside, OUTSIDE);
  await put(tree, TREE);
  served = openServedTree(folders.sides, PAIR);
  await served.open();
});
afterEach(async () => {
  served.close();
  await folders.close();
});

function fileOf(bytes: Uint8Array): Entry {
  const hash = createHash("sha256").update(bytes).digest("hex");
  return { kind: "file", hash, executable: false };
}

async function stage(
  ...parts: readonly (Partial<BytesPart> & { readonly path: string })[]
): Promise<void> {
  const whole = parts.map((part) => ({ offset: 0, bytes: EVIL, isEnd: true, ...part }));
  await served.stage(await packBatch(whole));
}

/** Resolves with the codes of what was left, or "done". */
async function putThere(name: string, entry: Entry = EVIL_FILE, expected?: Entry): Promise<string> {
  const { done, left } = await served.apply({
    removals: [],
    puts: [{ path: name, entry, expected }],
  });
  await served.commit();
  expect(done.length + left.length).toBe(1);
  return left[0]?.[1].code ?? "done";
}

async function lookAtAll(): Promise<readonly string[]> {
  let reply = await served.look("all");
  while (reply.kind === "ask") reply = await served.answer([]);
  return reply.changes.map(([name]) => name);
}

async function expectUntouched(): Promise<void> {
  expect(await read(tree)).toEqual(TREE);
  expect(await read(outside)).toEqual(OUTSIDE);
  expect((await readdir(folders.root)).toSorted()).toEqual(["home", "local", "outside", "remote"]);
}

/** Our own things there that belong to nobody's transfer any more. */
async function listIncoming(): Promise<readonly string[]> {
  return readdir(path.join(folders.sides.home, `incoming-${PAIR}`));
}

const NO_PLACES = [
  "../outside/new",
  "in/../../outside/key",
  "/etc/new",
  "a\0.txt",
  ".git/hooks/post-checkout",
  "in/.GIT/config",
  ".ramet/environment.json",
  "node_modules/x.js",
  "x".repeat(300),
  `in/${"é".repeat(150)}`,
];

test.each(NO_PLACES)("a file is neither brought nor put to %j", async (name) => {
  expect(await codeOf(stage({ path: name }))).toBe("sync_outside");
  expect(await putThere(name)).toBe("sync_outside");
  await expectUntouched();
  await stage({ path: "in/new" });
  expect(await putThere("in/new")).toBe("done");
});

test.each(NO_PLACES)(
  "nothing is removed at %j, even by one who knows what stands there",
  async (name) => {
    const expected = fileOf(Buffer.from("precious"));
    const { done, left } = await served.apply({ removals: [{ path: name, expected }], puts: [] });
    expect([done, left.map(([, { code }]) => code)]).toEqual([[], ["sync_outside"]]);
    await expectUntouched();
  },
);

test("nothing is put, replaced or removed behind a link that leads out; in a folder in its place it is", async () => {
  const precious = fileOf(Buffer.from("precious"));
  await stage({ path: "up/new" }, { path: "up/key" });
  const { done, left } = await served.apply({
    removals: [{ path: "up/b.txt", expected: precious }],
    puts: [
      { path: "up/new", entry: EVIL_FILE, expected: undefined },
      { path: "up/key", entry: EVIL_FILE, expected: precious },
      { path: "up/made/", entry: { kind: "folder" }, expected: undefined },
    ],
  });
  expect(done).toEqual([]);
  expect(left.map(([name]) => name).toSorted()).toEqual([
    "up/b.txt",
    "up/key",
    "up/made/",
    "up/new",
  ]);
  await expectUntouched();
  await rename(path.join(tree, "up"), path.join(folders.root, "moved"));
  await stage({ path: "up/new" });
  expect(await putThere("up/new")).toBe("done");
});

test("a folder that became a link that leads out since it was looked at gives nothing away", async () => {
  expect(await lookAtAll()).toContain("in/b.txt");
  const wants = [{ path: "in/b.txt", offset: 0 }];
  expect((await served.read(wants)).parts).toMatchObject([{ size: 2 }]);
  await rename(path.join(tree, "in"), path.join(tree, "was"));
  await symlink(outside, path.join(tree, "in"));
  expect((await served.read(wants)).parts).toMatchObject([{ size: 0, isEnd: true }]);
});

test("what was told of to one visitor is not given to another who has not looked", async () => {
  await lookAtAll();
  const other = openServedTree(folders.sides, "f".repeat(16));
  const wants = [{ path: "a.txt", offset: 0 }];
  expect(await codeOf(other.read(wants))).toBe("sync_conflict");
  other.close();
  expect(await codeOf(served.read(wants))).toBe("done");
});

test("what another visitor has brought is not put by this one, and stays theirs", async () => {
  const other = openServedTree(folders.sides, "f".repeat(16));
  await other.stage(await packBatch([{ path: "new", offset: 0, bytes: EVIL, isEnd: true }]));
  expect(await putThere("new")).toBe("sync_conflict");
  await expectUntouched();
  const puts = [{ path: "new", entry: EVIL_FILE, expected: undefined }];
  expect(await other.apply({ removals: [], puts })).toMatchObject({ left: [] });
  other.close();
});

test("a plan whose bytes never came, came wrong, came in part or too many is not carried out", async () => {
  expect(await putThere("never")).toBe("sync_conflict");
  await stage({ path: "wrong", bytes: Buffer.from("good") });
  expect(await putThere("wrong")).toBe("sync_conflict");
  await stage({ path: "part", bytes: EVIL.subarray(0, 2), isEnd: false });
  expect(await putThere("part")).toBe("sync_conflict");
  await stage({ path: "many", bytes: Buffer.from("evil and more") });
  expect(await putThere("many")).toBe("sync_conflict");
  await stage({ path: "a.txt" });
  expect(await putThere("a.txt", EVIL_FILE, fileOf(Buffer.from("not a\n")))).toBe("sync_conflict");
  await expectUntouched();
  expect(await listIncoming()).toEqual([]);
  await stage({ path: "right" });
  expect(await putThere("right")).toBe("done");
});

test("the same plan twice is carried out once, and what was written in between stays", async () => {
  await stage({ path: "new" });
  expect(await putThere("new")).toBe("done");
  expect(await putThere("new")).toBe("sync_conflict");
  expect(await readFile(path.join(tree, "new"), "utf8")).toBe("evil");
  await writeFile(path.join(tree, "new"), "mine\n");
  await stage({ path: "new" });
  expect(await putThere("new")).toBe("sync_conflict");
  expect(await readFile(path.join(tree, "new"), "utf8")).toBe("mine\n");
  const removals = [{ path: "a.txt", expected: fileOf(Buffer.from("a\n")) }];
  for (let count = 0; count < 2; count += 1) await served.apply({ removals, puts: [] });
  expect(Object.keys(await read(tree))).toEqual(["in/b.txt", "new", "up"]);
});

test("a part that leaves a gap, comes twice or goes on after the end is refused", async () => {
  await stage({ path: "f", isEnd: false });
  expect(await codeOf(stage({ path: "f", offset: 5 }))).toBe("wire_broken");
  expect(await codeOf(stage({ path: "g", offset: 4 }))).toBe("wire_broken");
  expect(await codeOf(stage({ path: "f", offset: 2 }))).toBe("wire_broken");
  await stage({ path: "f", offset: 4 });
  expect(await codeOf(stage({ path: "f", offset: 8 }))).toBe("wire_broken");
  expect(await putThere("f", fileOf(Buffer.from("evilevil")))).toBe("done");
});

test("bytes beyond what a batch says, and fewer, are refused before any is written", async () => {
  const batch = await packBatch([{ path: "f", offset: 0, bytes: EVIL, isEnd: true }]);
  for (const size of [0, 3, 5, MOST_BATCH_BYTES + 1]) {
    const lying = { ...batch, parts: batch.parts.map((part) => ({ ...part, size })) };
    expect(await codeOf(served.stage(lying))).toBe("wire_broken");
    // Not even the folder for it is there.
    expect(await listIncoming().catch(() => [])).toEqual([]);
    expect(await putThere("f")).toBe("sync_conflict");
  }
  await expectUntouched();
});

test("however many files are begun and never ended, few stay open, and none once it is closed", async () => {
  for (let count = 0; count < 40; count += 1) await stage({ path: `begun-${count}`, isEnd: false });
  expect((await listOpenIn(folders.root)).length).toBeLessThan(5);
  served.close();
  expect(await listOpenIn(folders.root)).toEqual([]);
  expect(await listIncoming()).toEqual([]);
});

test("however often a large file is begun to be read, few stay open, and none once it is closed", async () => {
  await writeFile(path.join(tree, "large.bin"), randomBytes(MOST_BATCH_BYTES + 1));
  await lookAtAll();
  for (let count = 0; count < 10; count += 1) await served.read([{ path: "large.bin", offset: 0 }]);
  expect((await listOpenIn(tree)).length).toBeLessThan(3);
  served.close();
  expect(await listOpenIn(tree)).toEqual([]);
});

test("nothing is taken over but what was told of in pieces, while it is that, and no more than there is", async () => {
  const large = randomBytes(LARGE_BYTES);
  await put(tree, { "secret.env": "precious", "large.bin": "" });
  await writeFile(path.join(tree, "large.bin"), large);
  const take = async (name: string, from: number, size: number): Promise<string> => {
    const part = { path: name, offset: 0, from, size, isEnd: true };
    return codeOf(served.stage(await packBatch([part])));
  };
  expect(await codeOf(served.pieces("large.bin"))).toBe("sync_conflict");
  expect(await take("large.bin", 0, 1)).toBe("sync_conflict");
  await lookAtAll();
  expect(await served.pieces("secret.env")).toBeNull();
  expect(await served.pieces("large.bin")).not.toBeNull();
  expect(await take("large.bin", 1, LARGE_BYTES - 1)).toBe("done");
  expect(await take("secret.env", 0, 8)).toBe("sync_conflict");
  expect(await take("../outside/key", 0, 8)).toBe("sync_outside");
  expect(await take("large.bin", 1, LARGE_BYTES)).toBe("sync_conflict");
  expect(await take("large.bin", 0, 1e15)).toBe("disk_full");
  await writeFile(path.join(tree, "large.bin"), large);
  expect(await take("large.bin", 0, 1)).toBe("sync_conflict");
});

test("what is taken over while other parts come for the same file is not mixed with them", async () => {
  const large = randomBytes(LARGE_BYTES);
  await writeFile(path.join(tree, "large.bin"), large);
  await lookAtAll();
  await served.pieces("large.bin");
  const part = { path: "large.bin", offset: 0, from: 0, size: LARGE_BYTES, isEnd: true };
  const taking = codeOf(served.stage(await packBatch([part])));
  const others = Array.from({ length: 20 }, async () => codeOf(stage({ path: "large.bin" })));
  for (const code of [...(await Promise.all(others)), await taking])
    expect(["done", "wire_broken"]).toContain(code);
  const was = createHash("sha256").update(large).digest("hex");
  const expected: Entry = { kind: "file", hash: was, executable: false };
  expect(["done", "sync_conflict"]).toContain(await putThere("large.bin", EVIL_FILE, expected));
  const is = await readFile(path.join(tree, "large.bin"));
  expect(is.equals(large) || is.equals(EVIL)).toBe(true);
});
