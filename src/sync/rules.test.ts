import { execFile } from "node:child_process";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";

import { afterEach, beforeEach, expect, test } from "vitest";

import { rulesOf } from "./rules.ts";

const run = promisify(execFile);

let workspace: string;

beforeEach(async () => {
  workspace = await realpath(await mkdtemp(path.join(os.tmpdir(), "ramet-rules-")));
  await mkdir(path.join(workspace, "src/empty"), { recursive: true });
  await writeFile(path.join(workspace, "src/a.ts"), "1");
});

afterEach(() => rm(workspace, { recursive: true }));

/** What stands for the rules once they were asked about these names. */
async function identifyAfter(...names: readonly string[]): Promise<string | undefined> {
  const listed = await rulesOf(workspace).list();
  await listed.findIgnored(names);
  return listed.identify();
}

test.each([
  { what: "of git, with a list of its own", exclude: ".git/info/exclude", isGit: true },
  { what: "of files alone", exclude: ".gitignore", isGit: false },
])("an empty folder has rules $what stand for it, until it is ignored", async (how) => {
  if (how.isGit) await run("git", ["init", "-q"], { cwd: workspace });
  await writeFile(path.join(workspace, how.exclude), "\n");
  const before = await identifyAfter("src/", "src/a.ts", "src/empty/");
  expect(before).toEqual(expect.any(String));
  expect(await identifyAfter("src/", "src/a.ts", "src/empty/")).toBe(before);

  await writeFile(path.join(workspace, how.exclude), "empty/\n");
  expect(await identifyAfter("src/", "src/a.ts", "src/empty/")).not.toBe(before);
});

test.each([
  { what: "a file that came since", names: ["src/b.ts"] },
  { what: "a repository inside", names: ["src/inner/", "src/inner/.git"] },
])("nothing stands for rules that were asked about $what", async ({ names }) => {
  await run("git", ["init", "-q"], { cwd: workspace });
  expect(await identifyAfter("src/", ...names)).toBeUndefined();
});
