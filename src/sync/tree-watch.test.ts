import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { waitFor } from "../base/clock.ts";
import { TreeWatch } from "./tree-watch.ts";

const LIMIT_MS = 5_000;

let root = "";
let count = 0;
let watch: TreeWatch;
let ignored: ReadonlySet<string> = new Set();

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "ramet-watch-"));
  count = 0;
  ignored = new Set();
  watch = new TreeWatch(root, {
    findIgnored: async (folders) => new Set(folders.filter((folder) => ignored.has(folder))),
    onEvent: () => {
      count += 1;
    },
  });
});
afterEach(async () => {
  watch.close();
  await rm(root, { recursive: true, force: true });
});

/** Whether an edit of the file is noticed. */
async function seesEdit(name: string): Promise<boolean> {
  count = 0;
  await writeFile(path.join(root, name), String(Math.random()));
  const seen = await waitFor(() => (count > 0 ? true : undefined), { timeoutMs: LIMIT_MS });
  return seen === true;
}

test("folders that are new, or new under an old name, are told once, and watched from then on", async () => {
  await mkdir(path.join(root, "a", "b"), { recursive: true });
  expect(await watch.renew()).toBe(true);
  expect(await watch.renew()).toBe(false);
  expect(await seesEdit("a/b/c.js")).toBe(true);

  await rm(path.join(root, "a"), { recursive: true });
  await mkdir(path.join(root, "a", "b"), { recursive: true });
  expect(await watch.renew()).toBe(true);
  expect(await seesEdit("a/b/c.js")).toBe(true);
  expect(watch.isComplete).toBe(true);
});

test("a tree that is moved in whole is watched whole", async () => {
  await watch.renew();
  const outside = await mkdtemp(path.join(tmpdir(), "ramet-moved-"));
  await mkdir(path.join(outside, "x", "y"), { recursive: true });
  await rename(outside, path.join(root, "moved"));
  expect(await watch.renew()).toBe(true);
  expect(await seesEdit("moved/x/y/z.js")).toBe(true);
});

test("folders that are no part of the tree are not watched, at whatever depth", async () => {
  ignored = new Set(["dist"]);
  const quiet = ["node_modules/x", ".git/objects", "dist/deep"];
  for (const folder of quiet) await mkdir(path.join(root, folder), { recursive: true });
  await watch.renew();
  count = 0;
  for (const folder of quiet) await writeFile(path.join(root, folder, "a.js"), "1");
  // Events come in order: with the one that is waited for all others before it have come.
  await writeFile(path.join(root, "last.js"), "1");
  await waitFor(() => (count > 0 ? true : undefined), { timeoutMs: LIMIT_MS });
  const afterFirst = count;
  expect(afterFirst).toBeGreaterThan(0);
  expect(afterFirst).toBeLessThan(3);
});

test("a closed one tells nothing more, and a root that is gone is no failure", async () => {
  await watch.renew();
  await rm(root, { recursive: true });
  expect(await watch.renew()).toBe(false);
  watch.close();
});
