import { mkdir, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { createRepository, git } from "../../test/git.ts";
import { findGitFolders } from "./git.ts";
import { listWorktreeRoots } from "./worktrees.ts";

let folder: string;
let main: string;

async function listFrom(root: string): Promise<readonly string[]> {
  const found = await findGitFolders(root);
  return found === undefined ? [] : listWorktreeRoots(found);
}

beforeEach(async () => {
  folder = await realpath(await mkdtemp(path.join(tmpdir(), "ramet-worktrees-")));
  main = path.join(folder, "main");
  await mkdir(main);
  await createRepository(main);
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

test("a repository without further worktrees has its own", async () => {
  expect(await listFrom(main)).toEqual([main]);
});

test("every worktree is found, from whichever of them one asks", async () => {
  await git(main, "worktree", "add", "-q", "../one");
  await git(main, "worktree", "add", "-q", "nested/two");
  const all = [main, path.join(folder, "one"), path.join(main, "nested", "two")];

  for (const root of all) expect((await listFrom(root)).toSorted()).toEqual(all.toSorted());
});

test("a worktree whose folder was removed by hand is none", async () => {
  await git(main, "worktree", "add", "-q", "../gone");
  await rm(path.join(folder, "gone"), { recursive: true });

  expect(await listFrom(main)).toEqual([main]);
});

test("a bare repository has only its worktrees", async () => {
  await git(main, "clone", "-q", "--bare", ".", "../bare.git");
  await git(path.join(folder, "bare.git"), "worktree", "add", "-q", "../from-bare");

  expect(await listFrom(path.join(folder, "from-bare"))).toEqual([path.join(folder, "from-bare")]);
});
