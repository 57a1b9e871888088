import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";

import { writeAtomically } from "../base/write-atomically.ts";
import { findGitTree, findGitIgnored, listGitTree } from "./git.ts";
import { findIgnoredByRules, isNeverListed, listByRules } from "./ignore-rules.ts";

let root = "";
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "ramet-ignore-"));
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

const FILES = [
  "a.log",
  "b",
  "src/a.log",
  "src/b",
  "src/lib/c.txt",
  "src/lib/B",
  "dist/x",
  "src/dist/y",
];
const pattern = fc.constantFrom(
  "*.log",
  "!a.log",
  "/a.log",
  "src/",
  "dist",
  "/dist/",
  "src/lib",
  "!src/lib",
  "**/c.txt",
  "b",
  "B",
  "*",
  "!*/",
  "# note",
  "",
  "lib/*",
  "!c.txt",
  "[ab]*",
  "src/**/y",
);
/** An inner file's exception to a whole folder is the one known difference. */
const innerPattern = pattern.filter((text) => text !== "!*/");
const rules = fc.array(pattern, { maxLength: 4 }).map((lines) => lines.join("\n"));
const innerRules = fc.array(innerPattern, { maxLength: 3 }).map((lines) => lines.join("\n"));

test("without git the same files are listed and ignored as with it", async () => {
  let count = 0;
  await fc.assert(
    fc.asyncProperty(rules, innerRules, async (top, inner) => {
      count += 1;
      const folder = path.join(root, `run-${count}`);
      for (const name of FILES) {
        await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
        await writeAtomically(path.join(folder, name), "1");
      }
      await writeAtomically(path.join(folder, ".gitignore"), top);
      await writeAtomically(path.join(folder, "src/.gitignore"), inner);
      const byRules = await listByRules(folder);
      const names = [...FILES, "src/new.log", "dist/deep/new", "new/b"];
      const ignoredByRules = await findIgnoredByRules(folder, names);

      const env = { PATH: process.env["PATH"], HOME: root, GIT_CONFIG_NOSYSTEM: "1" };
      await promisify(execFile)("git", ["init", "-q"], { cwd: folder, env });
      const tree = await findGitTree(folder);
      if (tree === undefined) throw new Error("git does not know its own tree.");
      expect([...byRules.files].toSorted()).toEqual(
        [...(await listGitTree(tree)).files].toSorted(),
      );
      expect([...ignoredByRules].toSorted()).toEqual(
        [...(await findGitIgnored(tree, names))].toSorted(),
      );
    }),
    { numRuns: 15 },
  );
});

test("without git a folder that has rules of its own, such as a repository inside, can be asked about", async () => {
  await mkdir(path.join(root, "inner"));
  await writeAtomically(path.join(root, ".gitignore"), "out/\n");
  await writeAtomically(path.join(root, "inner/.gitignore"), "node_modules\n");
  expect(await findIgnoredByRules(root, ["inner/", "out/", "inner/out/"])).toEqual([
    "out/",
    "inner/out/",
  ]);
});

test.each([
  [".git/config", true],
  ["a/.GIT/hooks/x", true],
  [".ramet/environment.json", true],
  ["a/.ramet-0123456789ab.tmp", true],
  [".gitignore", false],
  [".github/x", false],
  [".ramet-x.tmp", false],
])("whether %j is never listed: %j", (name, expected) => {
  expect(isNeverListed(name)).toBe(expected);
});
