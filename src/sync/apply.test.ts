import {
  chmod,
  lchown,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { Problem } from "../base/problem.ts";
import { writeAtomically } from "../base/write-atomically.ts";
import { applyPlan } from "./apply.ts";
import { push, type Sides } from "./sync.ts";

let root = "";
let sides: Sides = { local: "", remote: "", ancestor: "" };
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
  return { local, remote, ancestor: path.join(folder, "ancestor.json") };
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
    .filter((entry) => !entry.isDirectory())
    .map(async (entry): Promise<[string, string]> => {
      const file = path.join(entry.parentPath, entry.name);
      const text = entry.isSymbolicLink()
        ? `->${await readlink(file)}`
        : await readFile(file, "utf8");
      return [path.relative(folder, file), text];
    });
  return Object.fromEntries((await Promise.all(pairs)).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

const options = (force = false): { force: boolean; displaced: string } => ({
  force,
  displaced: path.join(root, "displaced"),
});

async function problemOf(work: Promise<unknown>): Promise<Problem> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error("There was no problem.");
}

test("a folder with files that are not transferred is not replaced by a file", async () => {
  await put(sides.local, { "a/b": "1" });
  await push(sides, options());
  await put(sides.remote, { "a/node_modules/x": "kept" });
  await rm(path.join(sides.local, "a"), { recursive: true });
  await put(sides.local, { a: "file" });
  expect((await problemOf(push(sides, options()))).code).toBe("sync_blocked");
  expect(await readFile(path.join(sides.remote, "a/node_modules/x"), "utf8")).toBe("kept");
});

test("nothing is written through a link that leads out of the tree", async () => {
  const outside = path.join(root, "outside");
  await put(outside, { key: "precious" });
  await put(sides.local, { "d/key": "evil", "d/new": "evil" });
  await symlink(outside, path.join(sides.remote, "d"));
  const { displaced } = await push(sides, options(true));
  expect(await read(outside)).toEqual({ key: "precious" });
  expect(await read(sides.remote)).toEqual({ "d/key": "evil", "d/new": "evil" });
  expect(await read(displaced ?? "")).toEqual({ d: `->${outside}` });

  const put1 = {
    path: "e/new",
    entry: { kind: "link", target: "x" },
    expected: undefined,
  } as const;
  await symlink(outside, path.join(sides.remote, "e"));
  const transfer = {
    source: sides.local,
    target: sides.remote,
    displaced: path.join(root, "displaced-3"),
  };
  expect((await problemOf(applyPlan({ removals: [], puts: [put1] }, transfer))).code).toBe(
    "sync_conflict",
  );
  expect(await read(outside)).toEqual({ key: "precious" });
});

test("what changes between the look and the step is not overwritten", async () => {
  await put(sides.local, { a: "1", b: "1" });
  await put(sides.remote, { a: "changed meanwhile", b: "changed meanwhile" });
  const stale = { kind: "file", hash: "0".repeat(64), executable: false } as const;
  const transfer = {
    source: sides.local,
    target: sides.remote,
    displaced: path.join(root, "displaced"),
  };
  const plans = [
    { removals: [{ path: "a", expected: stale }], puts: [] },
    { removals: [], puts: [{ path: "a", entry: stale, expected: stale }] },
    {
      removals: [],
      puts: [{ path: "a", entry: { kind: "link", target: "x" } as const, expected: stale }],
    },
    {
      removals: [],
      puts: [{ path: "b", entry: { kind: "link", target: "x" } as const, expected: undefined }],
    },
  ];
  for (const plan of plans)
    expect((await problemOf(applyPlan(plan, transfer))).code).toBe("sync_conflict");
  expect(await read(sides.remote)).toEqual({ a: "changed meanwhile", b: "changed meanwhile" });
});

test("only whether a file is executable travels with it", async () => {
  await put(sides.local, { run: "1", data: "1" });
  await chmod(path.join(sides.local, "run"), 0o6777);
  await chmod(path.join(sides.local, "data"), 0o600);
  await push(sides, options());
  expect((await stat(path.join(sides.remote, "run"))).mode & 0o7777).toBe(0o755);
  expect((await stat(path.join(sides.remote, "data"))).mode & 0o7777).toBe(0o644);
  await chmod(path.join(sides.local, "data"), 0o755);
  expect((await push(sides, options())).changed).toEqual(["data"]);
});

test(
  "as root, what is written belongs to the owner of the tree",
  { skip: process.getuid?.() !== 0 },
  async () => {
    await lchown(sides.remote, 23_456, 23_456);
    await put(sides.local, { "a/b/c": "1", l: "->a" });
    await push(sides, options());
    const names = await readdir(sides.remote, { recursive: true });
    const owners = await Promise.all(
      names.map(async (name) => (await lstat(path.join(sides.remote, name))).uid),
    );
    expect(new Set(owners)).toEqual(new Set([23_456]));
  },
);

test("a reader sees the old bytes or the new ones, never a part and never nothing", async () => {
  const [old, next] = ["a".repeat(300_000), "b".repeat(300_000)];
  await put(sides.local, { a: old });
  await push(sides, options());
  await put(sides.local, { a: next });
  const seen = new Set<string>();
  const done = new AbortController();
  const pushing = push(sides, options()).finally(() => done.abort());
  while (!done.signal.aborted) seen.add(await readFile(path.join(sides.remote, "a"), "utf8"));
  await pushing;
  expect([...seen].every((text) => text === old || text === next)).toBe(true);
  expect(await readFile(path.join(sides.remote, "a"), "utf8")).toBe(next);
});
