import { execFile } from "node:child_process";
import { mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

import { afterEach, beforeEach, expect, test } from "vitest";

import { monotonicMs } from "../../base/clock.ts";
import { stampGit, untilGitIsDone } from "./git-state.ts";

const never = new AbortController().signal;
let root = "";

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "ramet-git-"));
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

async function git(folder: string, ...args: readonly string[]): Promise<void> {
  const identity = ["-c", "user.name=t", "-c", "user.email=t@t.test"];
  await promisify(execFile)("git", [...identity, ...args], { cwd: folder });
}

async function makeRepository(): Promise<string> {
  await git(root, "init", "-q", "-b", "main", "repository");
  const repository = path.join(root, "repository");
  await writeFile(path.join(repository, "a.js"), "1");
  await git(repository, "add", "-A");
  await git(repository, "commit", "-qm", "first");
  return repository;
}

test("the stamp changes when git changes the tree, and not by an edit", async () => {
  const repository = await makeRepository();
  const before = stampGit(repository);
  await writeFile(path.join(repository, "a.js"), "2");
  expect(stampGit(repository)).toBe(before);
  await git(repository, "checkout", "-q", "--", "a.js");
  expect(stampGit(repository)).not.toBe(before);
});

test("in a worktree its own lock counts, in its own folder", async () => {
  const repository = await makeRepository();
  const worktree = path.join(root, "worktree");
  await git(repository, "worktree", "add", "-q", worktree);
  const before = stampGit(worktree);
  const lock = path.join(repository, ".git", "worktrees", "worktree", "index.lock");
  await writeFile(lock, "");
  expect([before, stampGit(worktree)]).toEqual([expect.any(String), undefined]);
  let isDone = false;
  const waiting = untilGitIsDone(worktree, never).finally(() => {
    isDone = true;
  });
  await untilGitIsDone(repository, never);
  expect(isDone).toBe(false);
  await rm(lock);
  await waiting;
  expect(isDone).toBe(true);
});

test("a lock that a git which was killed has left holds nothing up", async () => {
  const repository = await makeRepository();
  const lock = path.join(repository, ".git", "index.lock");
  await writeFile(lock, "");
  await utimes(lock, new Date(0), new Date(0));
  await untilGitIsDone(repository, never);
  expect(stampGit(repository)).toEqual(expect.any(String));
});

test("a tree without git is at rest, and has one stamp", async () => {
  const began = monotonicMs();
  await untilGitIsDone(root, never);
  expect(monotonicMs() - began).toBeLessThan(30_000);
  expect(stampGit(root)).toBe("");
  expect(stampGit(path.join(root, "none"))).toBe("");
});

test("who waits for git is let go by the signal", async () => {
  const repository = await makeRepository();
  await writeFile(path.join(repository, ".git", "index.lock"), "");
  const leave = new AbortController();
  const waiting = untilGitIsDone(repository, leave.signal);
  leave.abort(new Error("gone"));
  await expect(waiting).rejects.toThrow();
});
