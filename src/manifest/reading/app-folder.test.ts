import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { writeAtomically } from "../../base/write-atomically.ts";
import { findAppFolder, requireAppFolder } from "../manifest.ts";

let root = "";

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "ramet-app-folder-"));
});
afterEach(async () => rm(root, { recursive: true, force: true }));

async function put(files: Readonly<Record<string, unknown>>): Promise<void> {
  for (const [name, value] of Object.entries(files)) {
    const file = path.join(root, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeAtomically(file, typeof value === "string" ? value : JSON.stringify(value));
  }
}

const PACKAGE = { scripts: { dev: "node ." } };

test.each<[what: string, files: readonly string[], expected: string]>([
  ["nothing anywhere is the root", [], "."],
  ["the root's own is the root's", ["package.json"], "."],
  ["a package is its own folder", ["a/package.json", "package.json"], "a"],
  ["the nearest package is meant", ["a/package.json", "a/b/package.json"], "a/b"],
  ["a ramet.json above says more than a package", ["ramet.json", "a/package.json"], "."],
  ["the nearest ramet.json is meant", ["ramet.json", "a/ramet.json"], "a"],
  ["an app of another language is its own folder", ["a/manage.py", "package.json"], "a"],
  ["a ramet.json above says more than a Procfile", ["ramet.json", "a/Procfile"], "."],
  ["one beside it is another app", ["c/ramet.json", "c/package.json"], "."],
])("from a/b: %s", async (_what, files, expected) => {
  const here = path.join("a", "b");
  await mkdir(path.join(root, here), { recursive: true });
  await put(Object.fromEntries(files.map((file) => [file, {}])));
  expect(await findAppFolder(path.join(root, here), root)).toBe(path.join(root, expected));
});

test("nothing above the root is looked at", async () => {
  await put({ "package.json": PACKAGE, "repository/src/x": "" });
  const repository = path.join(root, "repository");
  expect(await findAppFolder(path.join(repository, "src"), repository)).toBe(repository);
  expect(await findAppFolder(root, repository)).toBe(repository);
});

test.each<[what: string, files: Readonly<Record<string, unknown>>]>([
  ["npm's", { "package.json": { workspaces: ["packages/*"] } }],
  ["Yarn's", { "package.json": { workspaces: { packages: ["packages/*"] } } }],
  ["pnpm's", { "pnpm-workspace.yaml": "packages: ['packages/*']\n" }],
])("a member of %s workspaces is no app by itself, and is told what to write", async (_, files) => {
  await put({ ...files, "packages/web/package.json": PACKAGE });
  const web = path.join(root, "packages", "web");
  await expect(requireAppFolder(web, root)).rejects.toMatchObject({
    code: "packages_shared",
    message: expect.stringContaining(web),
    remedy: expect.stringContaining('"folder": "packages/web"'),
  });
  expect(await requireAppFolder(root, root)).toBe(root);
});

test("a package with a lock file of its own, and a folder without a package, stand alone", async () => {
  await put({
    "package.json": { workspaces: ["packages/*"] },
    "own/package.json": PACKAGE,
    "own/package-lock.json": {},
    "python/ramet.json": {},
  });
  for (const name of ["own", "python"]) {
    const folder = path.join(root, name);
    expect(await requireAppFolder(folder, root)).toBe(folder);
  }
});

test("a package beside others that share nothing stands alone", async () => {
  await put({ "package.json": {}, "packages/web/package.json": PACKAGE });
  const web = path.join(root, "packages", "web");
  expect(await requireAppFolder(path.join(web), root)).toBe(web);
});
