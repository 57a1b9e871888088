import { mkdir, mkdtemp, readFile, realpath, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";

import { Problem } from "../base/problem.ts";
import { exists } from "../base/remove-inside.ts";
import { writeAtomically } from "../base/write-atomically.ts";
import { copyEntry } from "./copy-entry.ts";
import { openPair } from "./open-pair.ts";
import { findPlain, hasLinkOnWay, leadsInside, makeParent, parseInnerPath } from "./place.ts";

let root = "";

beforeEach(async () => {
  root = await realpath(await mkdtemp(path.join(tmpdir(), "ramet-place-")));
});
afterEach(async () => rm(root, { recursive: true, force: true }));

async function put(name: string, text = name): Promise<void> {
  const file = path.join(root, name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeAtomically(file, text);
}

async function link(name: string, target: string): Promise<void> {
  await mkdir(path.dirname(path.join(root, name)), { recursive: true });
  await symlink(target, path.join(root, name));
}

test.each([
  ["a", "a"],
  ["a/", "a"],
  ["./a//b/", "a/b"],
  ["a/./b", "a/b"],
  ["a b/é", "a b/é"],
  ["..a/b..", "..a/b.."],
  [" ", " "],
  ["-x", "-x"],
  ["node_modules", "node_modules"],
])("the path %j is %j", (text, name) => {
  expect(parseInnerPath(text)).toBe(name);
});

test("whatever is written, a path that passes lies inside", () => {
  const part = fc.constantFrom("a", "..", ".", "", "b", "\0", "...", "/");
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 8 }), (parts) => {
      const text = parts.join("/");
      let name: string;
      try {
        name = parseInnerPath(text);
      } catch (error) {
        return error instanceof Problem && error.code === "path_outside";
      }
      const relative = path.relative("/root", path.join("/root", name));
      return relative !== "" && !relative.startsWith("../") && relative !== "..";
    }),
  );
});

test("what stands behind a link is not found as plain, and a link itself is", async () => {
  await put("real/file");
  await link("to-folder", "real");
  await link("dangling", "nowhere");
  expect((await findPlain(root, "real/file"))?.isFile()).toBe(true);
  expect(await findPlain(root, "to-folder/file")).toBeUndefined();
  expect((await findPlain(root, "to-folder"))?.isSymbolicLink()).toBe(true);
  expect((await findPlain(root, "dangling"))?.isSymbolicLink()).toBe(true);
  expect(await findPlain(root, "real/none")).toBeUndefined();
  expect(await findPlain(root, "real/file/below")).toBeUndefined();
  expect(await findPlain(root, "none/at/all")).toBeUndefined();
});

test("a link on the way is seen, one at the end is not on the way", async () => {
  await put("real/deep/file");
  await link("to-folder", "real");
  expect(await hasLinkOnWay(root, "to-folder/deep/file")).toBe(true);
  expect(await hasLinkOnWay(root, "real/deep/file")).toBe(false);
  expect(await hasLinkOnWay(root, "to-folder")).toBe(false);
  expect(await hasLinkOnWay(root, "none/x")).toBe(false);
});

test("a folder is made where it is missing, and never through a link or over a file", async () => {
  await mkdir(path.join(root, "outside"));
  await mkdir(path.join(root, "tree"));
  await link("tree/away", path.join(root, "outside"));
  await put("tree/file");
  const tree = path.join(root, "tree");
  expect(await makeParent(tree, "a/b/c.txt", null)).toBe(path.join(tree, "a", "b"));
  expect(await makeParent(tree, "a/b/c.txt", null)).toBe(path.join(tree, "a", "b"));
  expect(await makeParent(tree, "top.txt", null)).toBe(tree);
  expect(await makeParent(tree, "away/in/x", null)).toBeUndefined();
  expect(await makeParent(tree, "file/x", null)).toBeUndefined();
  expect(await exists(path.join(root, "outside", "in"))).toBe(false);
});

test.each<[what: string, target: (at: string) => string, isInside: boolean]>([
  ["a neighbour", () => "file", true],
  ["the root itself", () => "..", true],
  ["an absolute path inside", (at) => path.join(at, "tree", "sub", "file"), true],
  ["a path out of it", () => "../../outside", false],
  ["an absolute path outside", () => "/etc", false],
  ["nothing", () => "nowhere", false],
  ["itself", () => "link", false],
])("a link to %s leads inside or it does not", async (_what, target, isInside) => {
  await put("tree/sub/file");
  await mkdir(path.join(root, "outside"));
  await link("tree/sub/link", target(root));
  expect(await leadsInside(path.join(root, "tree"), path.join(root, "tree/sub/link"))).toBe(
    isInside,
  );
});

test("a link to a folder whose name begins like the root's leads outside", async () => {
  await mkdir(path.join(root, "tree"));
  await mkdir(path.join(root, "tree-2"));
  await link("tree/link", "../tree-2");
  expect(await leadsInside(path.join(root, "tree"), path.join(root, "tree/link"))).toBe(false);
});

test("an entry says what became of it: copied, there, missing, or left", async () => {
  await put("from/file", "theirs");
  await put("from/folder/inner", "inner");
  await put("from/kept", "theirs");
  await put("to/kept", "mine");
  await put("secret", "secret");
  await link("from/out", "../secret");
  await link("from/away", "..");
  await link("to/blocked", path.join(root, "from"));
  await put("from/blocked/x");
  const pair = await openPair(path.join(root, "from"), path.join(root, "to"));
  const outcomes = await Promise.all(
    ["file", "folder", "kept", "none", "out", "away/secret", "blocked/x"].map(async (name) =>
      copyEntry(pair, name, { user: null }),
    ),
  );
  expect(outcomes).toEqual(["copied", "copied", "there", "missing", "left", "left", "left"]);
  expect(await readFile(path.join(root, "to/folder/inner"), "utf8")).toBe("inner");
  expect(await readFile(path.join(root, "to/kept"), "utf8")).toBe("mine");
  expect(await exists(path.join(root, "to", "out"))).toBe(false);
});

test("a source that is not there is a problem that names it", async () => {
  await expect(openPair(path.join(root, "none"), path.join(root, "to"))).rejects.toMatchObject({
    code: "copy_failed",
    message: expect.stringContaining(path.join(root, "none")),
  });
});

test("a source that is reached by a link is known by both of its names", async () => {
  await mkdir(path.join(root, "real"));
  await link("alias", "real");
  const { sourceNames } = await openPair(path.join(root, "alias"), path.join(root, "to"));
  expect(sourceNames).toEqual([path.join(root, "alias"), path.join(root, "real")]);
});
