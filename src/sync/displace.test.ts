import { createHash } from "node:crypto";
import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { Problem } from "../base/problem.ts";
import { exists } from "../base/remove-inside.ts";
import { writeAtomically } from "../base/write-atomically.ts";
import type { Entry } from "./core/tree.ts";
import { chooseDisplaced, type Found, keepCopy, moveAway } from "./displace.ts";

let root = "";
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "ramet-displace-"));
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

const fileOf = (text: string): Entry => ({
  kind: "file",
  hash: createHash("sha256").update(text).digest("hex"),
  executable: false,
});

async function found(text: string, expected: Entry): Promise<Found> {
  await mkdir(path.join(root, "tree"), { recursive: true });
  await writeAtomically(path.join(root, "tree/a"), text);
  return { file: path.join(root, "tree/a"), path: "deep/a", expected };
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
  return "no problem";
}

test("a folder of displaced files never takes in those of another time", async () => {
  const folder = path.join(root, "displaced");
  expect(await chooseDisplaced(folder)).toBe(folder);
  await mkdir(folder);
  expect(await chooseDisplaced(folder)).toBe(`${folder}-2`);
  await mkdir(`${folder}-2`);
  expect(await chooseDisplaced(folder)).toBe(`${folder}-3`);
});

test("a copy is kept while the file stays, and survives its replacement", async () => {
  const one = await found("old", fileOf("old"));
  await keepCopy(one, path.join(root, "displaced"));
  expect(await readFile(one.file, "utf8")).toBe("old");
  await writeAtomically(one.file, "new");
  expect(await readFile(path.join(root, "displaced/deep/a"), "utf8")).toBe("old");
  expect((await lstat(path.join(root, "displaced"))).mode & 0o077).toBe(0);
});

test("a file that is not what was expected stays, and no copy of it is left", async () => {
  const one = await found("somebody's", fileOf("expected"));
  for (const work of [keepCopy, moveAway]) {
    expect(await codeOf(work(one, path.join(root, "displaced")))).toBe("sync_conflict");
    expect(await readFile(one.file, "utf8")).toBe("somebody's");
    expect(await readdir(path.join(root, "displaced/deep"))).toEqual([]);
  }
});

test("a link is displaced as a link", async () => {
  const link = {
    file: path.join(root, "link"),
    path: "l",
    expected: { kind: "link", target: "x" } as const,
  };
  await symlink("x", link.file);
  await keepCopy(link, path.join(root, "one"));
  await moveAway(link, path.join(root, "two"));
  expect(await readlink(path.join(root, "one/l"))).toBe("x");
  expect(await readlink(path.join(root, "two/l"))).toBe("x");
  expect(await exists(link.file)).toBe(false);
});

test("what vanished before it could be moved away was changed by somebody", async () => {
  const one = { file: path.join(root, "gone"), path: "gone", expected: fileOf("x") };
  expect(await codeOf(moveAway(one, path.join(root, "displaced")))).toBe("sync_conflict");
});
