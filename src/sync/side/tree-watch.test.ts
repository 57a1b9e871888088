import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { waitFor } from "../../base/clock.ts";
import { TreeWatch } from "./tree-watch.ts";

const LIMIT_MS = 5_000;

let root = "";
let count = 0;
let watch: TreeWatch;

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "ramet-watch-"));
  count = 0;
  watch = new TreeWatch(root, () => {
    count += 1;
  });
});
afterEach(async () => {
  watch.close();
  await rm(root, { recursive: true, force: true });
});

/** The folders that are named after an edit of the file. */
async function hintsAfterEdit(name: string): Promise<readonly string[]> {
  watch.take();
  count = 0;
  await writeFile(path.join(root, name), String(Math.random()));
  await waitFor(() => (count > 0 ? true : undefined), { timeoutMs: LIMIT_MS });
  return [...(watch.take() ?? ["everything"])];
}

test("a folder is followed once, and an edit in it names it", async () => {
  await mkdir(path.join(root, "a", "b"), { recursive: true });
  expect(["", "a", "a/b"].map((folder) => watch.follow(folder))).toEqual([true, true, true]);
  expect(["", "a", "a/b"].map((folder) => watch.follow(folder))).toEqual([false, false, false]);
  expect(await hintsAfterEdit("a/b/c.js")).toEqual(["a/b"]);
  expect(watch.isComplete).toBe(true);
});

test("a folder that is new under an old name is followed anew", async () => {
  await mkdir(path.join(root, "a"));
  watch.follow("a");
  await rm(path.join(root, "a"), { recursive: true });
  await mkdir(path.join(root, "a"));
  expect(watch.follow("a")).toBe(true);
  expect(await hintsAfterEdit("a/c.js")).toEqual(["a"]);
  await rename(path.join(root, "a"), path.join(root, "b"));
  expect(watch.follow("a")).toBe(false);
});

test("at first, and after more events than the system is sure to keep, everything is to be looked at", async () => {
  expect(watch.take()).toBe(null);
  watch.follow("");
  expect([...(watch.take() ?? ["everything"])]).toEqual([]);
  const names = Array.from({ length: 1_200 }, (_, index) => path.join(root, `${index}.js`));
  await Promise.all(names.map(async (name) => writeFile(name, "1")));
  await waitFor(() => (count > 1_100 ? true : undefined), { timeoutMs: LIMIT_MS });
  expect(watch.take()).toBe(null);
});

test("what is never transferred is no event", async () => {
  watch.follow("");
  watch.take();
  await mkdir(path.join(root, "node_modules"));
  await mkdir(path.join(root, ".ramet"));
  // Events come in order: with the one that is waited for all others before it have come.
  await writeFile(path.join(root, "last.js"), "1");
  await waitFor(() => (count > 0 ? true : undefined), { timeoutMs: LIMIT_MS });
  expect(count).toBeLessThan(3);
});

test("a closed one, or one of a folder that was left, tells nothing more, and a root that is gone is no failure", async () => {
  await mkdir(path.join(root, "a"));
  watch.follow("a");
  watch.leave("a");
  watch.follow("");
  expect(await hintsAfterEdit("b.js")).toEqual([""]);
  await rm(root, { recursive: true });
  expect(watch.follow("a")).toBe(false);
  watch.close();
});
