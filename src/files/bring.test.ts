import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, rm, symlink } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

import { afterEach, beforeEach, expect, test } from "vitest";

import { git } from "../../test/git.ts";
import { codeOf } from "../../test/problems.ts";
import { bringFiles, hashFiles, isSameTree, keepFiles } from "./files.ts";
import { commitApp, listAll, openTrees, put, type Trees } from "./test-trees.ts";

let trees: Trees;
let root = "";
let source = "";
let target = "";
beforeEach(async () => {
  trees = await openTrees();
  ({ root, source, target } = trees);
});
afterEach(async () => trees.close());

const copy = (options: object = {}): Parameters<typeof keepFiles>[0] => ({
  source,
  target,
  clone: [],
  user: null,
  ...options,
});

test("a workspace gets what it lacks of clone and .worktreeinclude, and keeps what it has", async () => {
  await commitApp(trees);
  await put(source, {
    ".worktreeinclude":
      ".env*\nsecrets/*.pem\nsrc/app.js\nnode_modules/a/index.js\n!.env.production\n",
    ".env.production": "1",
    ".env": "ours",
    ".gitignore": "node_modules\ndist\n.env*\n*.log\nsecrets\n",
    "secrets/a.pem": "1",
    "secrets/b.txt": "1",
  });
  await git(source, "worktree", "add", "-q", "--detach", target);
  await rm(path.join(target, "src/app.js"));
  await put(target, { ".env": "mine", "node_modules/mine.js": "1" });

  const { brought, detail } = await bringFiles(copy({ clone: ["node_modules", "dist", "src"] }));
  expect([...brought].toSorted()).toEqual([
    ".env.local",
    "dist",
    "packages/ui/node_modules",
    "secrets/a.pem",
  ]);
  expect(detail).toMatch(/^(?:copied|reflink) /);
  expect(await readFile(path.join(target, ".env"), "utf8")).toBe("mine");
  expect(await readdir(path.join(target, "node_modules"))).toEqual(["mine.js"]);
  expect((await listAll(target)).filter((name) => name.includes(".tmp"))).toEqual([]);
  expect(await bringFiles(copy({ clone: ["node_modules", "dist"] }))).toEqual({
    detail: "nothing to bring",
    brought: [],
  });
});

test("the target's own .worktreeinclude counts where the source has none, and one folder brings itself nothing", async () => {
  await commitApp(trees);
  await put(target, { ".worktreeinclude": ".env.local" });
  expect((await bringFiles(copy())).brought).toEqual([".env.local"]);
  expect((await bringFiles(copy({ target: source, clone: ["dist"] }))).brought).toEqual([]);
});

test("a source or target that does not exist is a problem", async () => {
  const missing = path.join(root, "missing");
  expect(await codeOf(keepFiles(copy({ source: missing })))).toBe("copy_failed");
  expect(await codeOf(bringFiles(copy({ source: missing })))).toBe("copy_failed");
});

test("a link leads no copy out of the source, and none into what lies outside the target", async () => {
  const outside = path.join(root, "outside");
  await put(outside, { "key/id": "secret" });
  await commitApp(trees);
  await symlink(outside, path.join(source, "out"));
  await symlink(path.join(outside, "key"), path.join(source, "dist/key"));
  await mkdir(target);
  await put(source, { "cache/deep/x": "1" });
  await symlink(outside, path.join(target, "cache"));

  const clone = ["out/key", "dist/key", "cache/deep", "node_modules"];
  const { brought, detail } = await bringFiles(copy({ clone }));
  expect(brought).toEqual(["node_modules", "packages/ui/node_modules"]);
  expect(detail).toContain(
    "left out, because a link leads out of the tree: out/key, dist/key, cache/deep",
  );
  expect(await listAll(outside)).toEqual(["key/id"]);
  await keepFiles(copy({ target: path.join(root, "kept"), clone: ["out/key"] }));
  expect(await listAll(path.join(root, "kept"))).not.toContain("out/key/id");
});

test("a pipe in what is cloned makes nothing wait, and nothing half copied is left", async () => {
  await put(source, { "dist/a": "1", ".gitignore": "dist" });
  await mkdir(target);
  await promisify(execFile)("mkfifo", [path.join(source, "dist", "pipe")]);
  expect((await bringFiles(copy({ clone: ["dist"] }))).brought).toEqual(["dist"]);
  expect(await readdir(target)).toEqual(["dist"]);
  expect(await codeOf(keepFiles(copy({ source: path.join(root, "missing") })))).not.toBe(
    "no problem",
  );
});

test("two clean checkouts of the same files are the same tree; any change makes them differ", async () => {
  await commitApp(trees);
  await git(source, "checkout", "-q", "--", "gone.js");
  await rm(path.join(source, "untracked é.txt"));
  await rm(path.join(source, ".ramet"), { recursive: true });
  await git(source, "worktree", "add", "-q", "-b", "other", target);
  expect(await isSameTree(source, target)).toBe(true);
  expect(await isSameTree(path.join(source, "src"), path.join(target, "src"))).toBe(true);
  await put(target, { "new.js": "1" });
  expect(await isSameTree(source, target)).toBe(false);
  await git(target, "add", "-A");
  await git(target, "commit", "-qm", "new");
  expect(await isSameTree(source, target)).toBe(false);
  expect(await isSameTree(source, root)).toBe(false);
});

test("a stamp changes with a file's bytes, and when it comes or goes", async () => {
  await put(source, { "package-lock.json": "{}" });
  const names = ["package-lock.json", "yarn.lock"];
  const stamps = [await hashFiles(source, names)];
  await put(source, { "yarn.lock": "" });
  stamps.push(await hashFiles(source, names));
  await put(source, { "yarn.lock": "x" });
  stamps.push(await hashFiles(source, names));
  expect(new Set(stamps).size).toBe(3);
  await rm(path.join(source, "yarn.lock"));
  expect(await hashFiles(source, names)).toBe(stamps[0]);
});
