import { execFile } from "node:child_process";
import { mkdir, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

import { afterEach, beforeEach, expect, test } from "vitest";

import { findGitFolders } from "./git.ts";
import { listWorktreeRoots } from "./worktrees.ts";

const run = promisify(execFile);
let folder: string;
let main: string;

async function git(...args: readonly string[]): Promise<void> {
  const identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com"];
  await run("git", [...identity, ...args], { cwd: main });
}

async function listFrom(root: string): Promise<readonly string[]> {
  const found = await findGitFolders(root);
  return found === undefined ? [] : listWorktreeRoots(found);
}

beforeEach(async () => {
  folder = await realpath(await mkdtemp(path.join(tmpdir(), "ramet-worktrees-")));
  main = path.join(folder, "main");
  await mkdir(main);
  await git("init", "-q", "-b", "main");
  await git("commit", "-q", "--allow-empty", "-m", "one");
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

test("a repository without further worktrees has its own", async () => {
  expect(await listFrom(main)).toEqual([main]);
});

test("every worktree is found, from whichever of them one asks", async () => {
  await git("worktree", "add", "-q", "../one");
  await git("worktree", "add", "-q", "nested/two");
  const all = [main, path.join(folder, "one"), path.join(main, "nested", "two")];

  for (const root of all) expect((await listFrom(root)).toSorted()).toEqual(all.toSorted());
});

test("a worktree whose folder was removed by hand is none", async () => {
  await git("worktree", "add", "-q", "../gone");
  await rm(path.join(folder, "gone"), { recursive: true });

  expect(await listFrom(main)).toEqual([main]);
});

test("a bare repository has only its worktrees", async () => {
  await git("clone", "-q", "--bare", ".", "../bare.git");
  await run("git", ["worktree", "add", "-q", "../from-bare"], {
    cwd: path.join(folder, "bare.git"),
  });

  expect(await listFrom(path.join(folder, "from-bare"))).toEqual([path.join(folder, "from-bare")]);
});
