import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import {
  copyFile,
  mkdir,
  readFile,
  readdir,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";

import { afterEach, beforeEach, expect, test } from "vitest";

import { waitFor } from "../../base/clock.ts";
import { pinFile } from "../../base/pinned.ts";
import { removeInside } from "../../base/remove-inside.ts";
import { createTestFolder } from "../test-home.ts";
import { copyBytes } from "./copy-file.ts";
import { copyFolder, copyPlainFile, describeCopy } from "./copy-folder.ts";

const MEGABYTE = 1024 * 1024;
const ALL = { skip: () => false, uid: null };
let root = "";
let source = "";
let target = "";

beforeEach(async () => {
  root = await createTestFolder();
  source = path.join(root, "source");
  target = path.join(root, "target");
  await mkdir(path.join(source, "base", "5"), { recursive: true });
  await mkdir(target);
  await writeFile(path.join(source, "PG_VERSION"), "18\n");
});

afterEach(async () => removeInside(os.tmpdir(), root));

test("bytes of small, large and empty files arrive, in folders closed to others", async () => {
  const large = Buffer.alloc(3 * MEGABYTE + 17, "large");
  await writeFile(path.join(source, "base", "5", "1"), large);
  await writeFile(path.join(source, "base", "5", "2"), "");
  const copied = await copyFolder(source, target, ALL);
  expect(copied.bytes).toBe(large.length + 3);
  expect((await readFile(path.join(target, "base", "5", "1"))).equals(large)).toBe(true);
  expect(await readFile(path.join(target, "base", "5", "2"), "utf8")).toBe("");
  expect((await readdir(target)).toSorted()).toEqual(["PG_VERSION", "base"]);
  expect((await stat(path.join(target, "base", "5"))).mode & 0o777).toBe(0o700);
});

test("what is to be skipped is not copied, by its path and the names beside it", async () => {
  for (const name of ["1", "1_init", "2"])
    await writeFile(path.join(source, "base", "5", name), "x");
  const asked: string[] = [];
  const skip = (entry: string, beside: ReadonlySet<string>): boolean => {
    asked.push(entry);
    return beside.has(`${path.basename(entry)}_init`);
  };
  await copyFolder(source, target, { skip, uid: null });
  expect((await readdir(path.join(target, "base", "5"))).toSorted()).toEqual(["1_init", "2"]);
  expect(asked.toSorted()).toContain("base/5/1");
});

test("a planted link or pipe is neither followed nor waited for", async () => {
  const secret = path.join(root, "secret");
  await writeFile(secret, "the key");
  const planted = path.join(source, "base", "5", "16400");
  await symlink(secret, planted);
  await symlink(root, path.join(source, "base", "6"));
  execFileSync("mkfifo", [path.join(source, "base", "5", "16401")]);
  // The attack works against a copy that follows names.
  await copyFile(planted, path.join(root, "stolen"));
  expect(await readFile(path.join(root, "stolen"), "utf8")).toBe("the key");
  await copyFolder(source, target, ALL);
  expect(await readdir(path.join(target, "base", "5"))).toEqual([]);
  expect(await readdir(path.join(target, "base"))).toEqual(["5"]);
});

test("a file or folder that becomes a link after it was listed is not followed either", async () => {
  await writeFile(path.join(source, "base", "5", "1"), "row");
  await writeFile(path.join(root, "secret"), "the key");
  let swapped = false;
  const skip = (entry: string): boolean => {
    if (entry === "base/5/1" && !swapped) {
      swapped = true;
      execFileSync("ln", ["-sf", path.join(root, "secret"), path.join(source, "base", "5", "1")]);
    }
    return false;
  };
  await copyFolder(source, target, { skip, uid: null });
  expect(swapped).toBe(true);
  expect(await readdir(path.join(target, "base", "5"))).toEqual([]);
});

test("files and folders that vanish while others are copied are left out", async () => {
  for (let file = 0; file < 50; file += 1)
    await writeFile(path.join(source, "base", "5", String(file)), "x");
  const skip = (entry: string): boolean => {
    if (entry === "base/5/0") execFileSync("sh", ["-c", `rm ${path.join(source, "base", "5")}/*`]);
    return false;
  };
  await copyFolder(source, target, { skip, uid: null });
  expect(await readdir(path.join(target, "base", "5"))).toEqual([]);
});

test("a failure to write ends the copy, it is no vanished file", async () => {
  await mkdir(path.join(target, "PG_VERSION"));
  await expect(copyFolder(source, target, ALL)).rejects.toThrow(/EEXIST|EISDIR/);
});

test("a file that is truncated while it is copied ends the copy of it", async () => {
  const file = path.join(source, "base", "5", "1");
  await writeFile(file, Buffer.alloc(96 * MEGABYTE, 1));
  const copy = path.join(target, "1");
  const copying = copyPlainFile(file, copy, { uid: null, reflinked: false });
  await waitFor(() => (existsSync(copy) ? true : undefined), { timeoutMs: 10_000, everyMs: 1 });
  await truncate(file, MEGABYTE);
  expect(await copying).toBe(true);
  expect((await stat(copy)).size).toBeLessThanOrEqual(96 * MEGABYTE);
});

test("a file that is removed once it is open is copied all the same", async () => {
  const file = path.join(source, "PG_VERSION");
  const pinned = pinFile(file);
  if (pinned === undefined) throw new Error("The file is there.");
  await rm(file);
  await copyBytes(pinned, path.join(target, "copy"));
  pinned.close();
  expect(await readFile(path.join(target, "copy"), "utf8")).toBe("18\n");
});

test("while a large file is copied the event loop goes on", async () => {
  const file = path.join(source, "base", "5", "1");
  await writeFile(file, Buffer.alloc(96 * MEGABYTE, 1));
  const done = new AbortController();
  const copying = copyFolder(source, target, ALL).finally(() => done.abort());
  let turns = 0;
  for (; !done.signal.aborted; turns += 1) await nextTurn();
  await copying;
  expect(turns).toBeGreaterThan(10);
});

test.each([
  [{ bytes: 1_010_000_000, reflinked: true }, "reflink 1.0 GB"],
  [{ bytes: 52_300_000, reflinked: false }, "copied 53 MB"],
])("%j reads %s", (copied, text) => {
  expect(describeCopy(copied)).toBe(text);
});
