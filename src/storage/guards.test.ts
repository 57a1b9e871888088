/** What could harm an image from outside: a trimmed or full disk, a busy mount, a home that goes away. Root alone can try. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

import { afterEach, beforeEach, expect, test } from "vitest";

import { findObstacle, openDisk } from "../../test/disk.ts";
import { exists } from "../base/remove-inside.ts";
import { UndoStack } from "../base/undo-stack.ts";
import { isMountPoint } from "./mounting.ts";
import { createStorage, findStorage, openStorage, removeStorage } from "./storage.ts";
import type { StorageWork } from "./storage.ts";

const run = promisify(execFile);
const SIZE = 450 * 2 ** 20;
const WORK: StorageWork = { signal: new AbortController().signal, tell: () => undefined };
const undo = new UndoStack();

let obstacle: string | undefined;
let home: string;
let image: string;
let rows: string;

/** A home with storage, on a small disk of its own. */
beforeEach(async () => {
  obstacle = (await findObstacle("xfs")) ?? (await findObstacle("ext4"));
  if (obstacle !== undefined) return;
  const disk = await openDisk("ext4", 700);
  undo.push(() => disk.close());
  home = path.join(disk.folder, "home");
  image = path.join(home, "storage", "image");
  rows = path.join(home, "data", "aaaaaaaaaaaaaaaa", "rows");
  await mkdir(path.dirname(rows), { recursive: true });
  await writeFile(rows, "rows");
  undo.push(async () => {
    const data = path.join(home, "data");
    if (await isMountPoint(data)) await run("umount", [data]);
  });
  await createStorage(home, SIZE, WORK);
});
afterEach(async () => undo.undo());

async function allocated(): Promise<number> {
  return (await stat(image)).blocks * 512;
}

test("the image takes all its room at once, and the weekly fstrim takes none of it away", async ({
  skip,
}) => {
  if (obstacle !== undefined) skip(obstacle);
  expect(await allocated()).toBeGreaterThanOrEqual(SIZE);
  await expect(run("fstrim", [path.join(home, "data")])).rejects.toThrow(/not supported/);
  expect(await allocated()).toBeGreaterThanOrEqual(SIZE);
});

test("holes that came into the image all the same are filled by the next server", async ({
  skip,
}) => {
  if (obstacle !== undefined) skip(obstacle);
  await run("fallocate", ["--punch-hole", "-o", "300M", "-l", "100M", image]);
  expect(await allocated()).toBeLessThan(SIZE);
  await openStorage(home, home);
  expect(await allocated()).toBeGreaterThanOrEqual(SIZE);
});

test("with no room for the environments beside the image, removing it is refused and changes nothing", async ({
  skip,
}) => {
  if (obstacle !== undefined) skip(obstacle);
  await writeFile(rows, Buffer.alloc(250 * 2 ** 20, 1));
  await expect(removeStorage(home, WORK)).rejects.toMatchObject({ code: "disk_full" });
  expect(await findStorage(home)).toMatchObject({ mounted: true });
  expect(await exists(path.join(home, "data.after"))).toBe(false);
  expect((await stat(rows)).size).toBe(250 * 2 ** 20);
});

test("while something uses the mount it is not removed, the copy goes, and the image counts on", async ({
  skip,
}) => {
  if (obstacle !== undefined) skip(obstacle);
  const user = spawn("sleep", ["600"], { cwd: path.dirname(rows) });
  await once(user, "spawn");
  try {
    await expect(removeStorage(home, WORK)).rejects.toMatchObject({ code: "storage_busy" });
  } finally {
    user.kill();
    await once(user, "exit");
  }
  expect(await findStorage(home)).toMatchObject({ mounted: true });
  expect(await exists(path.join(home, "data.after"))).toBe(false);
  expect(await readFile(rows, "utf8")).toBe("rows");
  await removeStorage(home, WORK);
  expect(await readFile(rows, "utf8")).toBe("rows");
});

test("a home that was removed under its server leaves neither mount nor loop device, and no folder", async ({
  skip,
}) => {
  if (obstacle !== undefined) skip(obstacle);
  const storage = await openStorage(home, home);
  await expect(run("rm", ["-rf", home])).rejects.toThrow(/busy/);
  expect(await readdir(home)).toEqual(["data"]);
  await storage.abandon();
  expect(await exists(home)).toBe(false);
  expect((await run("losetup", ["-a"])).stdout).not.toContain(image);
});
