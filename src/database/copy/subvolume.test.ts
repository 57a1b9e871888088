import { execFileSync } from "node:child_process";
import { mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { findObstacle, openDisk } from "../../../test/disk.ts";
import type { Disk } from "../../../test/disk.ts";
import { removeInside } from "../../base/remove-inside.ts";
import { copyFolder } from "./copy-folder.ts";

const MEGABYTES = 400;
const ALL = { skip: () => false, uid: null };
/** Of the folder that a subvolume begins with. */
const ROOT_INODE = 256;

let obstacle: string | undefined;
let disk: Disk | undefined;

beforeAll(async () => {
  obstacle = await findObstacle("btrfs");
  if (obstacle === undefined) disk = await openDisk("btrfs", MEGABYTES);
});
afterAll(async () => disk?.close());

/** Empty folders on the disk. */
async function makeFolders(...names: readonly string[]): Promise<readonly string[]> {
  const folders = names.map((name) => path.join(disk?.folder ?? "", name));
  for (const folder of folders) await mkdir(folder);
  return folders;
}

async function isSubvolume(folder: string): Promise<boolean> {
  return (await stat(folder)).ino === ROOT_INODE;
}

test("on Btrfs a first copy is a subvolume, and copies of that are snapshots, without what is skipped, linked or piped", async ({
  skip,
}) => {
  if (obstacle !== undefined) skip(obstacle);
  const [template = "", first = "", second = ""] = await makeFolders("template", "first", "second");
  await mkdir(path.join(template, "base", "5"), { recursive: true });
  await writeFile(path.join(template, "PG_VERSION"), "18\n");
  await writeFile(path.join(template, "base", "5", "1"), "rows");
  expect(await copyFolder(template, first, ALL)).toMatchObject({ bytes: 7, reflinked: true });
  expect(await isSubvolume(first)).toBe(true);

  const planted = path.join(first, "base", "5");
  await writeFile(path.join(planted, "2"), "left out");
  await mkdir(path.join(first, "gone", "inner"), { recursive: true });
  await symlink("/etc", path.join(planted, "link"));
  execFileSync("mkfifo", [path.join(planted, "pipe")]);
  const leftOut = new Set(["base/5/2", "gone"]);
  const copied = await copyFolder(first, second, { ...ALL, skip: (entry) => leftOut.has(entry) });
  expect(copied).toEqual({ bytes: 7, flushedBytes: 0, reflinked: true });
  expect(await isSubvolume(second)).toBe(true);
  expect((await stat(second)).mode & 0o777).toBe(0o700);
  expect((await readdir(second, { recursive: true })).toSorted()).toEqual([
    "PG_VERSION",
    "base",
    "base/5",
    "base/5/1",
  ]);

  await writeFile(path.join(second, "base", "5", "1"), "other rows");
  expect(await readFile(path.join(planted, "1"), "utf8")).toBe("rows");
  for (const folder of [first, second]) await removeInside(path.dirname(folder), folder);
  expect(await readdir(path.dirname(first))).toEqual(["template"]);
});

test("where another user is to own the copies they are made one by one, and none is a subvolume", async ({
  skip,
}) => {
  if (obstacle !== undefined) skip(obstacle);
  const [from = "", mine = "", others = ""] = await makeFolders("from", "mine", "others");
  await writeFile(path.join(from, "PG_VERSION"), "18\n");
  await copyFolder(from, mine, ALL);
  await copyFolder(mine, others, { ...ALL, uid: 700_001 });
  expect(await isSubvolume(others)).toBe(false);
  expect((await stat(path.join(others, "PG_VERSION"))).uid).toBe(700_001);
});
