import { mkdir, mkdtemp, readdir, readFile, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { git } from "../../test/git.ts";
import { exists } from "../base/remove-inside.ts";
import { bringFiles, findIgnored, hashFiles, isSameTree, keepFiles, listFiles } from "./files.ts";
import { put } from "./test-trees.ts";

/** An app that is a folder of its repository: git's rules above it hold, and nothing beside it is touched. */
let folder = "";
let repository = "";
let app = "";

beforeEach(async () => {
  folder = await realpath(await mkdtemp(path.join(tmpdir(), "ramet-subfolder-")));
  repository = path.join(folder, "repository");
  app = path.join(repository, "apps", "web");
  await mkdir(app, { recursive: true });
  await git(repository, "init", "-q", "-b", "main");
  await put(repository, {
    ".gitignore": "node_modules\n*.log\n/apps/web/build\n",
    ".worktreeinclude": "root.env\n",
    "README.md": "1",
    "apps/web/index.js": "1",
    "apps/web/.worktreeinclude": "*.env\n!other.env\n",
    "apps/web/.gitignore": "*.env\n",
    "apps/admin/index.js": "1",
  });
  await git(repository, "add", "-A");
  await git(repository, "commit", "-qm", "apps");
  await put(app, {
    "node_modules/a/index.js": "1",
    "build/out.js": "1",
    "x.log": "1",
    "local.env": "KEY=1",
    "other.env": "KEY=2",
    "new.js": "1",
  });
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

async function addWorktree(name: string): Promise<string> {
  await git(repository, "worktree", "add", "-q", path.join(folder, name));
  return path.join(folder, name, "apps", "web");
}

const options = (
  target: string,
  clone: readonly string[] = [],
): Parameters<typeof keepFiles>[0] => ({
  source: app,
  target,
  clone,
  user: null,
});

const OWN = [".gitignore", ".worktreeinclude", "index.js", "new.js"];

test("its files are its own, by the repository's rules, named from its own folder", async () => {
  expect([...(await (await listFiles(app)).read()).files].toSorted()).toEqual(OWN);
  const names = ["a.log", "deep/b.log", "build", "index.js", "x.env", "apps/web/build"];
  expect(await findIgnored(app, names)).toEqual(new Set(["a.log", "deep/b.log", "build", "x.env"]));
});

test("a kept tree of it holds that folder alone, and what is cloned", async () => {
  const target = path.join(folder, "kept");
  const { detail } = await keepFiles(options(target, ["node_modules"]));
  expect((await readdir(target)).toSorted()).toEqual([...OWN, "node_modules"].toSorted());
  expect(detail).toContain("4 files");
  expect(await readFile(path.join(target, "node_modules/a/index.js"), "utf8")).toBe("1");
});

test("a worktree's folder gets what it lacks, by the folder's own .worktreeinclude", async () => {
  const target = await addWorktree("agent");
  const { brought } = await bringFiles(options(target, ["node_modules"]));
  expect([...brought].toSorted()).toEqual(["local.env", "node_modules"]);
  expect(await exists(path.join(target, "other.env"))).toBe(false);
  expect(await exists(path.join(target, "x.log"))).toBe(false);
  expect(await exists(path.join(folder, "agent", "node_modules"))).toBe(false);
});

test("two worktrees' folders are the same tree until something in them differs, wherever else it does", async () => {
  const other = await addWorktree("agent");
  expect(await isSameTree(app, other)).toBe(false);
  await rm(path.join(app, "new.js"));
  expect(await isSameTree(app, other)).toBe(true);
  await put(path.join(folder, "agent"), { "apps/admin/index.js": "2", "README.md": "2" });
  expect(await isSameTree(app, other)).toBe(true);
  await put(other, { "index.js": "2" });
  expect(await isSameTree(app, other)).toBe(false);
});

test("a commit elsewhere in the repository leaves the folder the same tree, one in it does not", async () => {
  await rm(path.join(app, "new.js"));
  const other = await addWorktree("agent");
  const worktree = path.join(folder, "agent");
  await put(worktree, { "README.md": "2" });
  await git(worktree, "commit", "-qam", "readme");
  expect(await isSameTree(app, other)).toBe(true);
  await put(other, { "index.js": "2" });
  await git(worktree, "commit", "-qam", "web");
  expect(await isSameTree(app, other)).toBe(false);
});

test("a stamp is of the folder's own files, and of nothing that a name leads out to", async () => {
  const before = await hashFiles(app, ["package-lock.json", "index.js"]);
  await put(repository, { "package-lock.json": "{}" });
  expect(await hashFiles(app, ["package-lock.json", "index.js"])).toBe(before);
  await put(app, { "package-lock.json": "{}" });
  expect(await hashFiles(app, ["package-lock.json", "index.js"])).not.toBe(before);
});

test("a folder without a commit, and one that git ignores, are no trees that could be the same", async () => {
  const fresh = path.join(folder, "fresh");
  await mkdir(fresh);
  await git(fresh, "init", "-q");
  expect(await isSameTree(fresh, fresh)).toBe(false);
  expect(await isSameTree(path.join(app, "build"), path.join(app, "build"))).toBe(false);
  expect(await isSameTree(folder, folder)).toBe(false);
});
