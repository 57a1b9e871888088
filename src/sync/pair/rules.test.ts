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

async function git(folder: string, ...args: readonly string[]): Promise<void> {
  await run("git", ["-c", "user.name=A", "-c", "user.email=a@b", ...args], { cwd: folder });
}

const NAMES = ["src/", "logs/", "src/a.ts", "src/b.ts", "src/empty/", "src/tracked.log"];

test.each([
  { what: "a file is ignored", from: "", to: "b.ts" },
  { what: "a file is ignored no longer", from: "b.ts", to: "" },
  { what: "an empty folder is ignored no longer", from: "empty/", to: "" },
  { what: "a folder is ignored of which all was", from: "*.log", to: "*.log\nlogs/" },
  { what: "a folder is ignored no longer, but all in it", from: "*.log\nlogs/", to: "*.log" },
  { what: "a folder is ignored in which something is tracked", from: "*.log", to: "*.log\nsrc/" },
])("where $what, something else stands for the rules, while git tracks the same", async (how) => {
  const exclude = path.join(workspace, ".git/info/exclude");
  await git(workspace, "init", "-q");
  await mkdir(path.join(workspace, "logs"));
  for (const name of ["logs/x.log", "src/b.ts", "src/tracked.log"])
    await writeFile(path.join(workspace, name), "1");
  await git(workspace, "add", "-f", "src/tracked.log");
  await writeFile(exclude, `${how.from}\n`);
  const rules = rulesOf(workspace);
  const before = (await rules.list()).identify();
  expect((await rules.list()).identify()).toBe(before);

  await writeFile(exclude, `${how.to}\n`);
  const listed = await rules.list();
  expect(listed.identify()).not.toBe(before);
  const all = await rulesOf(workspace).list();
  expect(await listed.findIgnored(NAMES)).toEqual(await all.findIgnored(NAMES));
});

test("where a submodule ignores something else, something else stands for the rules", async () => {
  const inner = path.join(workspace, "inner");
  await mkdir(inner);
  await writeFile(path.join(inner, "b"), "1");
  await git(workspace, "init", "-q");
  await git(inner, "init", "-q");
  await git(inner, "commit", "-q", "--allow-empty", "-m", "Inner");
  await git(workspace, "-c", "advice.addEmbeddedRepo=false", "add", "inner");
  const rules = rulesOf(workspace);
  const [first, second] = [await rules.list(), await rules.list()];
  expect(second.identify()).toBe(first.identify());

  await writeFile(path.join(inner, ".git/info/exclude"), "b\n");
  const third = await rules.list();
  expect(third.identify()).not.toBe(first.identify());
  expect(await third.findIgnored(["inner/", "inner/b"])).toEqual(new Set(["inner/b"]));
});

test.each([
  { what: "a file that came since", names: ["src/b.ts"] },
  { what: "an empty folder", names: ["src/empty/"] },
  { what: "a repository inside", names: ["src/inner/", "src/inner/.git"] },
])("nothing stands for rules that were asked about $what", async ({ names }) => {
  await git(workspace, "init", "-q");
  const listed = await rulesOf(workspace).list();
  await listed.findIgnored(["src/", "src/a.ts"]);
  expect(listed.identify()).toEqual(expect.any(String));
  await listed.findIgnored(names);
  expect(listed.identify()).toBeUndefined();
});

test("an empty folder is left out by a rule that no list of git's shows", async () => {
  await git(workspace, "init", "-q");
  await writeFile(path.join(workspace, ".git/info/exclude"), "empty/**\n/src/empty/**\n");
  const listed = await rulesOf(workspace).list();
  expect(await listed.findIgnored(["src/empty/"])).toEqual(new Set(["src/empty/"]));
  expect(listed.identify()).toBeUndefined();
});
