import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { lstat, mkdir, readFile, rename, stat, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import os from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { pinFile, pinFolder } from "../../base/pinned.ts";
import type { Pinned } from "../../base/pinned.ts";
import { exists, removeInside } from "../../base/remove-inside.ts";
import { isEnvironmentId } from "../../environment/environment.ts";
import { DEFAULT_LIMITS } from "../../environment/manifest.ts";
import type { DatabasePlace } from "../../environment/places.ts";
import { IS_ROOT, createTestFolder } from "../test-home.ts";
import { giveTo, readSmallFile, writeNewFile } from "./owned-files.ts";
import {
  makeSocketFolder,
  removeStaleSocket,
  sizeOf,
  turnLog,
  writeSettings,
} from "./place-files.ts";

let root: string;
let file: string;

beforeEach(async () => {
  root = await createTestFolder();
  file = path.join(root, "file");
});

afterEach(async () => removeInside(os.tmpdir(), root));

function present(pinned: Pinned | undefined): Pinned {
  if (pinned === undefined) throw new Error("It is there.");
  return pinned;
}

test("a pinned file is this very one, whatever its name means by then", async () => {
  await writeFile(file, "mine");
  const pinned = present(pinFile(file));
  await rename(file, `${file}.old`);
  await writeFile(file, "another");

  expect(await readFile(pinned.path, "utf8")).toBe(
    process.platform === "linux" ? "mine" : "another",
  );
  pinned.close();
});

test("a pinned folder is entered though a link took its place", async () => {
  const folder = path.join(root, "folder");
  await mkdir(folder);
  await writeFile(path.join(folder, "inside"), "mine");
  const pinned = present(pinFolder(folder));
  await rename(folder, `${folder}.old`);
  await symlink(os.tmpdir(), folder);

  const seen = await exists(path.join(pinned.path, "inside"));
  expect(seen).toBe(process.platform === "linux");
  pinned.close();
});

test.each([
  ["nothing", async () => undefined],
  ["a link to a file", async () => symlink("/etc/passwd", file)],
  ["a link to nothing", async () => symlink("/no/such/file", file)],
  ["a folder", async () => mkdir(file)],
  ["a pipe", async () => execFileSync("mkfifo", [file])],
])("%s is no file to pin, or to read", async (_what, make) => {
  await make();
  expect(pinFile(file)).toBeUndefined();
  expect(readSmallFile(file)).toBeUndefined();
});

test("a socket is no file either", async () => {
  const server = createServer().listen(file);
  await once(server, "listening");
  expect(pinFile(file)).toBeUndefined();
  expect(readSmallFile(file)).toBeUndefined();
  server.close();
});

test.each([
  ["nothing", async () => undefined],
  ["a file", async () => writeFile(file, "")],
  ["a link to a folder", async () => symlink("/", file)],
])("%s is no folder to pin", async (_what, make) => {
  await make();
  expect(pinFolder(file)).toBeUndefined();
});

test("of a file that is no small one the beginning is read", async () => {
  await writeFile(file, "0123456789");
  expect(readSmallFile(file, 4)?.toString()).toBe("0123");
  expect(readSmallFile(file, 100)?.toString()).toBe("0123456789");
  await writeFile(file, "");
  expect(readSmallFile(file)?.length).toBe(0);
});

test("a new file is written where none was, with the mode asked for, and through no link", async () => {
  writeNewFile(file, "text", 0o640);
  expect([await readFile(file, "utf8"), (await stat(file)).mode & 0o777]).toEqual(["text", 0o640]);
  expect(() => writeNewFile(file, "again")).toThrow(/EEXIST/);

  const victim = path.join(root, "victim");
  const link = path.join(root, "link");
  await symlink(victim, link);
  expect(() => writeNewFile(link, "x")).toThrow(/EEXIST/);
  expect(await exists(victim)).toBe(false);
});

test.runIf(IS_ROOT)("a link is given away itself, not what it leads to", async () => {
  await writeFile(file, "");
  const link = path.join(root, "link");
  await symlink(file, link);
  giveTo(link, 54_321);
  expect((await lstat(link)).uid).toBe(54_321);
  expect((await stat(file)).uid).toBe(0);
});

test("where there is no user, nothing changes hands", async () => {
  giveTo(path.join(root, "not there"), null);
  expect(await exists(path.join(root, "not there"))).toBe(false);
});

function place(): DatabasePlace {
  const id = "abcdefghijklmnop";
  if (!isEnvironmentId(id)) throw new Error("It is an id.");
  const uid = IS_ROOT ? 54_321 : null;
  const socketFolder = path.join(root, "run", "s");
  const limits = DEFAULT_LIMITS;
  return { id, folder: root, socketFolder, log: path.join(root, "log"), uid, mark: "m", limits };
}

test("settings are written once, and again when somebody changed them", async () => {
  const settings = path.join(root, "postgresql.conf");
  await writeSettings(place(), 18);
  const first = await stat(settings);
  await writeSettings(place(), 18);
  expect((await stat(settings)).ino).toBe(first.ino);

  await writeFile(settings, "fsync = off\n");
  await writeSettings(place(), 18);
  expect(await readFile(settings, "utf8")).toContain("fsync = on\n");
});

test("settings that were replaced by a link are written in its place, not through it", async () => {
  const victim = path.join(root, "victim");
  await writeFile(victim, "mine");
  await symlink(victim, path.join(root, "postgresql.conf"));
  await writeSettings(place(), 18);
  expect(await readFile(victim, "utf8")).toBe("mine");
  expect((await lstat(path.join(root, "postgresql.conf"))).isFile()).toBe(true);
});

test("a socket's folder is made where it is missing, and left as it is where it is not", async () => {
  await makeSocketFolder(place());
  const { socketFolder } = place();
  expect((await stat(socketFolder)).uid).toBe(place().uid ?? process.getuid?.());
  await writeFile(path.join(socketFolder, "kept"), "");
  await makeSocketFolder(place());
  expect(await exists(path.join(socketFolder, "kept"))).toBe(true);
});

test("a log that is long is begun anew, the old one kept once", async () => {
  await turnLog(place());
  await writeFile(file.replace(/file$/, "log"), "short");
  await turnLog(place());
  expect(await sizeOf(place().log)).toBe(5);

  await writeFile(place().log, Buffer.alloc(8 * 1024 * 1024 + 1));
  await turnLog(place());
  expect(await sizeOf(place().log)).toBe(0);
  expect(await sizeOf(`${place().log}.old`)).toBe(8 * 1024 * 1024 + 1);
});

test("what a server that is gone left of its socket is removed, or was not there", async () => {
  await removeStaleSocket(file);
  for (const name of [file, `${file}.lock`]) await writeFile(name, "");
  await removeStaleSocket(file);
  expect([await exists(file), await exists(`${file}.lock`)]).toEqual([false, false]);
});
