import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { Problem } from "../base/problem.ts";
import type { Tree } from "./core/tree.ts";
import { formatMerge } from "./describe-merge.ts";
import { mergeSides, type MergeOptions } from "./merge.ts";
import { scanSides } from "./scan.ts";

let root = "";
let folders: { local: string; remote: string };
let options: MergeOptions;

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "ramet-merge-"));
  folders = { local: path.join(root, "local"), remote: path.join(root, "remote") };
  await Promise.all([mkdir(folders.local), mkdir(folders.remote)]);
  options = {
    prefer: null,
    displaced: path.join(root, "displaced"),
    mayRemoveMany: false,
    isAtRest: async () => true,
  };
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

async function put(side: "local" | "remote", name: string, text: string): Promise<string> {
  const file = path.join(folders[side], name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, text);
  return file;
}

async function mergeSince(ancestor: Tree): ReturnType<typeof mergeSides> {
  const trees = await scanSides(folders.local, folders.remote);
  return mergeSides({ folders, ancestor, ...trees }, options);
}

/** Both sides are made the same first: what they hold is then the ancestor. */
async function agree(files: Readonly<Record<string, string>>): Promise<Tree> {
  for (const [name, text] of Object.entries(files))
    for (const side of ["local", "remote"] as const) await put(side, name, text);
  return (await scanSides(folders.local, folders.remote)).local;
}

test("bytes that one side changed and an executable bit that the other did come out together, on both", async () => {
  const ancestor = await agree({ "run.sh": "1" });
  await put("local", "run.sh", "2");
  await chmod(path.join(folders.remote, "run.sh"), 0o755);
  const { merged } = await mergeSince(ancestor);
  expect(merged).toMatchObject({ toLocal: ["run.sh"], toRemote: ["run.sh"], conflicts: [] });
  for (const folder of Object.values(folders)) {
    const file = path.join(folder, "run.sh");
    expect(await readFile(file, "utf8")).toBe("2");
    expect((await stat(file)).mode & 0o111).not.toBe(0);
  }
});

test("a path that cannot be brought in order is told, and the others are", async () => {
  const ancestor = await agree({ "a.js": "1", "b.js": "1" });
  await put("local", "a.js", "2");
  await put("local", "b.js", "2");
  const trees = await scanSides(folders.local, folders.remote);
  // Between the look and the deed.
  await put("remote", "a.js", "somebody's");
  const { merged, ancestor: learnt } = await mergeSides({ folders, ancestor, ...trees }, options);
  expect(merged.toRemote).toEqual(["b.js"]);
  expect([...merged.left.keys()]).toEqual(["a.js"]);
  expect(merged.left.get("a.js")).toMatchObject({ code: "sync_conflict" });
  expect(await readFile(path.join(folders.remote, "a.js"), "utf8")).toBe("somebody's");
  expect(learnt.get("a.js")).toEqual(ancestor.get("a.js"));
  expect((await mergeSince(learnt)).merged.conflicts).toEqual(["a.js"]);
});

test("what a merge removes or overwrites is kept under its own path", async () => {
  const ancestor = await agree({ "gone/a.js": "1", "b.js": "old" });
  await rm(path.join(folders.local, "gone"), { recursive: true });
  await put("local", "b.js", "new");
  const { merged } = await mergeSince(ancestor);
  expect(merged).toMatchObject({ toRemote: ["b.js", "gone/a.js"], displaced: options.displaced });
  expect(await readFile(path.join(options.displaced, "environment", "gone", "a.js"), "utf8")).toBe(
    "1",
  );
  expect(await readFile(path.join(options.displaced, "environment", "b.js"), "utf8")).toBe("old");
  const again = await mergeSince(ancestor);
  expect(again.merged).toMatchObject({ toLocal: [], toRemote: [], displaced: null });
});

test("many removals are refused before anything is touched, unless they are explained", async () => {
  const names = Array.from({ length: 40 }, (_, index) => `${index}.js`);
  const ancestor = await agree(Object.fromEntries(names.map((name) => [name, "1"])));
  for (const name of names.slice(0, 30)) await rm(path.join(folders.remote, name));
  await put("remote", "39.js", "2");
  const refused: unknown = await mergeSince(ancestor).catch((error: unknown) => error);
  expect(refused instanceof Problem && refused.toFields()).toMatchObject({
    code: "sync_removals",
    message: expect.stringContaining("30 of 40 files would be removed from the workspace"),
    remedy: expect.stringContaining("ramet pull --force"),
  });
  expect(await readFile(path.join(folders.local, "39.js"), "utf8")).toBe("1");
  options = { ...options, mayRemoveMany: true };
  expect((await mergeSince(ancestor)).merged.toLocal).toHaveLength(31);
});

test("what was done and what is left is told in lines that name a few of many", () => {
  const many = Array.from({ length: 8 }, (_, index) => `${index}.js`);
  const problem = new Problem({
    code: "sync_blocked",
    message: "x is in the way.",
    remedy: "Move it.",
  });
  const merged = { toLocal: ["a.js"], toRemote: many, conflicts: ["c.js"], revived: ["r.js"] };
  const left = new Map([["x", problem]]);
  expect(formatMerge({ ...merged, left, displaced: "/kept" })).toEqual([
    "→ environment: 0.js, 1.js, 2.js, 3.js, 4.js and 3 more",
    "← environment: a.js",
    "kept, because the other side had changed it: r.js",
    "✗ changed on both sides: c.js; settle with `ramet push --force`, `ramet pull --force`, or `ramet dev --prefer`",
    "✗ x is in the way.",
    "what was overwritten is in /kept",
  ]);
});
