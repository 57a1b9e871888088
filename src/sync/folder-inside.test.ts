import { mkdir, mkdtemp, readdir, rename, rm, stat, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { Problem } from "../base/problem.ts";
import { writeAtomically } from "../base/write-atomically.ts";
import { type Root, withFolderInside } from "./folder-inside.ts";

let folder = "";
let root: Root = { folder: "", owner: null, makesFolders: true };
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "ramet-inside-"));
  root = { folder: path.join(folder, "root"), owner: null, makesFolders: true };
  await mkdir(root.folder);
  await mkdir(path.join(folder, "victim"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function write(relative: string): Promise<string> {
  try {
    await withFolderInside(root, relative, (inside) =>
      writeAtomically(path.join(inside, "x"), "1"),
    );
    return "written";
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
}

test("folders are made on the way, or are a problem where they must be there", async () => {
  expect(await write("a/b")).toBe("written");
  expect(await write(".")).toBe("written");
  expect((await readdir(root.folder, { recursive: true })).toSorted()).toEqual([
    "a",
    "a/b",
    "a/b/x",
    "x",
  ]);
  root = { ...root, makesFolders: false };
  expect(await write("c/d")).toBe("sync_conflict");
  expect(await readdir(root.folder)).not.toContain("c");
});

test("a link or a file on the way is a problem", async () => {
  await symlink(path.join(folder, "victim"), path.join(root.folder, "link"));
  await symlink("a", path.join(root.folder, "inner"));
  await mkdir(path.join(root.folder, "a"));
  await writeAtomically(path.join(root.folder, "file"), "1");
  for (const way of ["link", "link/deeper", "inner", "file", "file/deeper"]) {
    expect(await write(way)).toBe("sync_conflict");
  }
  expect(await readdir(path.join(folder, "victim"))).toEqual([]);
});

/** Exchanges a folder and a link to the victim, again and again. */
async function flip(signal: AbortSignal): Promise<void> {
  const [way, real] = [path.join(root.folder, "a"), path.join(root.folder, "real")];
  while (!signal.aborted) {
    await rename(way, real);
    await symlink(path.join(folder, "victim"), way);
    await rm(way);
    await rename(real, way);
  }
}

test.runIf(process.platform === "linux")(
  "a folder that turns into a link meanwhile leads no write astray",
  async () => {
    await mkdir(path.join(root.folder, "a"));
    const done = new AbortController();
    const flipping = flip(done.signal);
    const plain = path.join(root.folder, "a", "plain");
    const isAstray = async (): Promise<boolean> =>
      (await readdir(path.join(folder, "victim"))).includes("plain");
    root = { ...root, makesFolders: false };
    let isShown = false;
    for (let round = 0; round < 4000 && !(isShown && round > 400); round += 1) {
      await write("a");
      // The same without the defence: what was a folder when it was looked at.
      // In many rounds the folder is just being exchanged, and neither works.
      const looked = await stat(path.dirname(plain)).catch(() => undefined);
      // Likewise.
      if (looked !== undefined) await mkdir(plain).catch(() => undefined);
      isShown ||= await isAstray();
    }
    done.abort();
    await flipping;
    expect(isShown).toBe(true);
    expect(await readdir(path.join(folder, "victim"))).not.toContain("x");
  },
);
