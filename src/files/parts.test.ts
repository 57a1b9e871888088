import { execFile } from "node:child_process";
import { mkdir, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

import { afterEach, beforeEach, expect, test } from "vitest";

import { Problem } from "../base/problem.ts";
import { writeAtomically } from "../base/write-atomically.ts";
import { findClonePaths, isBelow } from "./clone-paths.ts";
import { copyFiles } from "./copy-files.ts";
import { isNeverListed } from "./ignore-rules.ts";
import { copyFailed, gitFailed, pathOutside, treeTooLarge } from "./problems.ts";
import { readSmallFile } from "./small-file.ts";
import { runListing, runTool } from "./tools.ts";
import { findIncluded } from "./worktree-include.ts";

let root = "";

beforeEach(async () => {
  root = await realpath(await mkdtemp(path.join(tmpdir(), "ramet-parts-")));
});
afterEach(async () => rm(root, { recursive: true, force: true }));

async function put(...names: readonly string[]): Promise<void> {
  for (const name of names) {
    await mkdir(path.dirname(path.join(root, name)), { recursive: true });
    await writeAtomically(path.join(root, name), name);
  }
}

test("a name to clone stands for nested ones too, a path for itself, and what lies in one of them is not named twice", async () => {
  await put("node_modules/a", "packages/ui/node_modules/b", "data/seed/x", "data/y");
  const ignored = ["node_modules/", "packages/ui/node_modules/", "data/"];
  const listing = { ignored };
  const find = async (...clone: readonly string[]): Promise<readonly string[]> =>
    (await findClonePaths(root, clone, listing)).toSorted();
  expect(await find("node_modules")).toEqual(["node_modules", "packages/ui/node_modules"]);
  expect(await find("packages/ui/node_modules")).toEqual(["packages/ui/node_modules"]);
  expect(await find("data/seed", "data", "./data/")).toEqual(["data"]);
  expect(await find("none", "data/none")).toEqual([]);
  expect(await find()).toEqual([]);
});

test.each([".git", ".git/config", ".ramet", "a/.ramet/x", ".GIT"])(
  "%s is never cloned",
  async (name) => {
    await expect(findClonePaths(root, [name], { ignored: [] })).rejects.toMatchObject({
      code: "path_outside",
    });
  },
);

test("a name is below a folder that holds it, not one that begins like it", () => {
  const folders = new Set(["a/b", "c"]);
  expect(["a/b/x", "a/b/x/y", "c/d"].map((name) => isBelow(name, folders))).toEqual([
    true,
    true,
    true,
  ]);
  expect(["a/b", "a/bc", "a", "cd/x", ""].map((name) => isBelow(name, folders))).toEqual([
    false,
    false,
    false,
    false,
    false,
  ]);
});

test.each([
  [".git/x", true],
  ["a/.git", true],
  [".RAMET/x", true],
  ["a/.ramet-0123456789ab.tmp", true],
  [".ramet-0123456789ab.tmp.js", false],
  [".gitignore", false],
  ["git/x", false],
])("whether %s is never listed: %j", (name, expected) => {
  expect(isNeverListed(name)).toBe(expected);
});

test("a pattern finds what lies inside a folder that is ignored as a whole, and not in node_modules or other repositories", async () => {
  await put(
    "dist/cache/keep.bin",
    "dist/cache/drop.txt",
    "secrets/dev.env",
    "node_modules/a/x.bin",
    "vendor/.git/HEAD",
    "vendor/lib.bin",
  );
  await writeAtomically(path.join(root, ".worktreeinclude"), "*.bin\nsecrets/\n# none\n");
  const ignored = ["dist/", "secrets/", "node_modules/", "vendor/", "top.bin"];
  const found = await findIncluded(root, root, { ignored });
  expect([...found].toSorted()).toEqual(["dist/cache/keep.bin", "secrets", "top.bin"]);
});

test("without a .worktreeinclude nothing is included", async () => {
  await put("dist/x");
  expect(await findIncluded(root, root, { ignored: ["dist/"] })).toEqual([]);
});

test("a file of patterns that is too large, no file, or not there, is as none", async () => {
  await writeAtomically(path.join(root, "large"), Buffer.alloc(1024 * 1024 + 1));
  await mkdir(path.join(root, "folder"));
  await promisify(execFile)("mkfifo", [path.join(root, "pipe")]);
  for (const name of ["large", "folder", "pipe", "none", "none/below"])
    expect(await readSmallFile(path.join(root, name))).toBeUndefined();
  await put("small");
  expect(await readSmallFile(path.join(root, "small"))).toBe("small");
});

test("files that went away, and what is no file, are left out of the count", async () => {
  await put("from/a", "from/deep/b");
  await promisify(execFile)("mkfifo", [path.join(root, "from/pipe")]);
  const pair = { source: path.join(root, "from"), target: path.join(root, "to"), sourceNames: [] };
  expect(await copyFiles(pair, ["a", "deep/b", "gone", "deep/b/c", "pipe", "deep"])).toBe(2);
});

test("a folder that became a file is copied as that, though git still lists what was in it", async () => {
  await put("from/lib");
  const pair = { source: path.join(root, "from"), target: path.join(root, "to"), sourceNames: [] };
  expect(await copyFiles(pair, ["lib", "lib/index.js", "lib/deep/x.js"])).toBe(1);
  expect(await readSmallFile(path.join(root, "to", "lib"))).toBe("from/lib");
});

test("a target that cannot be written to is no success", async () => {
  await put("from/a", "to");
  const pair = { source: path.join(root, "from"), target: path.join(root, "to"), sourceNames: [] };
  await expect(copyFiles(pair, ["a"])).rejects.toMatchObject({ code: expect.stringMatching(/^E/) });
});

test("a list comes whole, with names that hold line breaks, and its program's exit code", async () => {
  const options = { folder: root };
  expect(await runListing("printf", ["%s\\0", "a", "b\nc", ""], options)).toEqual({
    exitCode: 0,
    stderr: "",
    entries: ["a", "b\nc", ""],
  });
  expect(await runListing("true", [], options)).toMatchObject({ exitCode: 0, entries: [] });
  expect(await runListing("false", [], options)).toMatchObject({ exitCode: 1, entries: [] });
});

test("a list whose program ended in the middle of an entry did not arrive whole", async () => {
  await expect(runListing("printf", ["a\\0cut-off"], { folder: root })).rejects.toThrow(
    "did not arrive whole",
  );
});

test("a tool gets nothing of the caller's surroundings but what is given", async () => {
  const script = 'echo "$PATH|$LC_ALL|$GIVEN|$VITEST|$NODE_OPTIONS"; cat';
  const { stdout } = await runTool("sh", ["-c", script], {
    folder: root,
    environment: { GIVEN: "yes" },
    input: "input",
  });
  expect(stdout).toMatch(/^\/usr\/bin:\/bin[^|]*\|C\|yes\|\|\ninput$/);
});

test("each problem of the room names where it is, and what to do", () => {
  const made = [
    copyFailed("/t", "no"),
    gitFailed("/t", "no"),
    pathOutside("../t".padEnd(4000, "x")),
    treeTooLarge("/t", 3),
  ];
  expect(new Set(made.map(({ code }) => code)).size).toBe(made.length);
  for (const problem of made) {
    expect(problem).toBeInstanceOf(Problem);
    expect(problem.message).toContain("/t");
    expect(problem.message.length).toBeLessThan(400);
    expect(problem.remedy).toMatch(/^[A-Z].*\.$/);
  }
});
