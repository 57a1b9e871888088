import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  symlink,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { Problem } from "../base/problem.ts";
import { writeAtomically } from "../base/write-atomically.ts";
import { copyTree, listAbsoluteLinks, relinkAbsolute } from "./copy-tree.ts";
import { isLitter } from "./litter.ts";
import { moveTarget } from "./move-target.ts";

let root = "";
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "ramet-copy-"));
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

async function put(name: string): Promise<void> {
  await mkdir(path.dirname(path.join(root, name)), { recursive: true });
  await writeAtomically(path.join(root, name), name);
}

async function listAll(folder: string): Promise<string[]> {
  return (await readdir(path.join(root, folder), { recursive: true })).toSorted();
}

test.each([
  ["many folders side by side", (index: number) => `from/p${index}/lib/x.js`],
  ["few folders, the many one below", (index: number) => `from/.pnpm/p${index}/node_modules/x.js`],
  ["one folder that is many levels deep", (index: number) => `from/a/b/c/d/e/f/${index}.js`],
  ["files alone, with odd names", (index: number) => `from/-${index} 'q" \n*.js`],
])("a tree of %s is copied whole", async (_what, nameOf) => {
  for (let index = 0; index < 90; index += 1) await put(nameOf(index));
  await mkdir(path.join(root, "from/empty/deeper"), { recursive: true });
  await chmod(path.join(root, "from"), 0o750);
  await copyTree(path.join(root, "from"), path.join(root, "to"));

  const names = await listAll("to");
  expect(names).toEqual(await listAll("from"));
  expect(names.length).toBeGreaterThan(90);
  const [original, copy] = await Promise.all(
    ["from", "to"].map((name) => lstat(path.join(root, name))),
  );
  expect(copy?.mode).toBe(original?.mode);
  expect(Math.abs((copy?.mtimeMs ?? 0) - (original?.mtimeMs ?? 9))).toBeLessThan(1);
  expect(await readFile(path.join(root, "to", nameOf(7).slice("from/".length)), "utf8")).toBe(
    nameOf(7),
  );
});

test("a single file and a single link are copied as what they are", async () => {
  await put("file");
  await symlink("file", path.join(root, "link"));
  await copyTree(path.join(root, "file"), path.join(root, "file-copy"));
  await copyTree(path.join(root, "link"), path.join(root, "link-copy"));
  expect(await readFile(path.join(root, "file-copy"), "utf8")).toBe("file");
  expect(await readlink(path.join(root, "link-copy"))).toBe("file");
});

test("what tools leave in node_modules for themselves is not copied", async () => {
  for (const name of [".vite/deps.js", ".cache/x", ".bin/tool", "a/.cache/x"])
    await put(`node_modules/${name}`);
  await copyTree(path.join(root, "node_modules"), path.join(root, "to"));
  expect(await listAll("to")).toEqual([".bin", ".bin/tool", "a", "a/.cache", "a/.cache/x"]);
  expect([isLitter("x/node_modules/.vite/y"), isLitter(".vite/y")]).toEqual([true, false]);
});

test("a copy to where nothing can be made is a problem with cp's own words", async () => {
  await put("from");
  const work = copyTree(path.join(root, "from"), path.join(root, "missing", "to"));
  await expect(work).rejects.toSatisfy(
    (error) => error instanceof Problem && error.code === "copy_failed",
  );
  await expect(work).rejects.toThrow(/No such file or directory/);
});

test("absolute links into the source become the copy's own, others stay", async () => {
  const odd = path.join(root, "so[u]r*ce");
  await mkdir(path.join(root, "copy/deep"), { recursive: true });
  const links = {
    root: odd,
    inner: `${odd}/a/b`,
    near: `${odd}2/a`,
    relative: "../x",
    other: "/etc/hostname",
  };
  for (const [name, target] of Object.entries(links))
    await symlink(target, path.join(root, "copy/deep", name));
  const copy = path.join(root, "copy");
  const found = await listAbsoluteLinks(copy, [odd]);
  expect([...found].toSorted()).toEqual(["deep/inner", "deep/root"]);
  await relinkAbsolute(copy, [...found, "deep/gone", "deep"], { from: [odd], to: "/new" });
  const targets = Object.keys(links).map((name) => readlink(path.join(root, "copy/deep", name)));
  expect(await Promise.all(targets)).toEqual([
    "/new",
    "/new/a/b",
    `${odd}2/a`,
    "../x",
    "/etc/hostname",
  ]);
  expect(moveTarget("/a/b/c", ["/x", "/a/b"], "/n")).toBe("/n/c");
  expect(moveTarget("/a/bc", ["/a/b"], "/n")).toBeUndefined();
});
