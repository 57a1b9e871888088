import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { link, mkdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";

import { afterEach, beforeEach, expect, test } from "vitest";

import { type Folders, openFolders, openSide, put, read } from "../../test/sync/folders.ts";
import { hasErrorCode } from "../base/problem.ts";
import type { Entry } from "./core/tree.ts";
import type { TreeSide } from "./tree-side.ts";

const EVIL = Buffer.from("evil");
const FILE: Entry = {
  kind: "file",
  hash: createHash("sha256").update(EVIL).digest("hex"),
  executable: false,
};
const PRECIOUS: Entry = {
  kind: "file",
  hash: createHash("sha256").update("precious").digest("hex"),
  executable: false,
};

let folders: Folders;
let tree: string;
let outside: string;
let side: TreeSide;

beforeEach(async () => {
  folders = await openFolders();
  tree = folders.sides.remote;
  outside = path.join(folders.root, "outside");
  await put(outside, { key: "precious" });
  await put(tree, { "in/file": "1" });
  side = openSide(tree, folders.sides.home);
});
afterEach(async () => folders.close());

type Attack = { readonly path: string; readonly entry?: Entry; readonly expected?: Entry };

/** Resolves with the code of the problem, or "done". */
async function attack({ path: name, entry, expected }: Attack): Promise<string> {
  const plan =
    entry === undefined
      ? { removals: [{ path: name, expected: expected ?? PRECIOUS }], puts: [] }
      : { removals: [], puts: [{ path: name, entry, expected }] };
  const { left } = await side.apply(plan, { read: () => [EVIL] });
  await side.commit();
  return left.get(name)?.code ?? "done";
}

const DEEP = Array.from({ length: 65 }, () => "d").join("/");
const NAMES = [
  "../outside/new",
  "../../outside/new",
  "in/../../outside/new",
  "in/../../../etc/new",
  "./../outside/new",
  "in/./../../outside/new",
  "..",
  ".",
  "./new",
  "in/.",
  "in/..",
  "in/./new",
  "in//new",
  "//new",
  "/new",
  "/etc/new",
  "/proc/self/cwd/new",
  "",
  "in/\0new",
  "\0",
  "new\0/../../outside/new",
  "..\\outside\\new",
  "in\\new",
  "\\\\host\\share",
  "bytes\u{FFFD}",
  ".git/config",
  ".git/hooks/post-checkout",
  ".GIT/config",
  ".Git/hooks/pre-commit",
  "in/.git/config",
  ".ramet/environment.json",
  ".ramet/trash/x",
  ".RAMET/x",
  "node_modules/evil/index.js",
  "in/node_modules/evil.js",
  ".ramet-0123456789ab.tmp",
  "n".repeat(256),
  `in/${"é".repeat(128)}`,
  DEEP,
  `${"p".repeat(250)}/`.repeat(17),
];

test.each(NAMES)("the name %j writes nothing, and removes nothing", async (name) => {
  const before = await read(folders.root);
  expect(await attack({ path: name, entry: FILE })).toBe("sync_outside");
  expect(await attack({ path: name })).toBe("sync_outside");
  expect(await read(folders.root)).toMatchObject(before);
});

const TARGETS = [
  "/etc/passwd",
  "/",
  "//etc",
  "../outside/key",
  "../../etc/passwd",
  "in/../../outside",
  "./../outside",
  "a/b/../../../outside",
  "",
  "in\0/../..",
];

test.each(TARGETS)("no link to %j is made", async (target) => {
  expect(await attack({ path: "link", entry: { kind: "link", target } })).toBe("sync_outside");
  expect(await read(tree)).toEqual({ "in/file": "1" });
});

test("a link that stays inside is made, however it says so", async () => {
  for (const [name, target] of Object.entries({
    l: "in/file",
    "in/m": "../in/./file",
    n: "nothing",
  }))
    expect(await attack({ path: name, entry: { kind: "link", target } })).toBe("done");
  expect(await read(tree)).toMatchObject({
    l: "->in/file",
    "in/m": "->../in/./file",
    n: "->nothing",
  });
});

const PLANTED = ["over it", "through it", "into it, deeper", "of what lies behind it"] as const;

test.each(PLANTED)("a link to a folder outside leads nothing astray: %s", async (way) => {
  await symlink(outside, path.join(tree, "way"));
  const attacks: Readonly<Record<(typeof PLANTED)[number], Attack>> = {
    "over it": { path: "way", entry: FILE },
    "through it": { path: "way/key", entry: FILE, expected: PRECIOUS },
    "into it, deeper": { path: "way/new/deeper", entry: FILE },
    "of what lies behind it": { path: "way/key" },
  };
  expect(await attack(attacks[way])).toMatch(/sync_(blocked|conflict)/);
  expect(await read(outside)).toEqual({ key: "precious" });
  // Without the defence it would be written.
  await writeFile(path.join(tree, "way/key"), EVIL);
  expect(await read(outside)).toEqual({ key: "evil" });
});

test("what is another name of a file outside is replaced, and the file outside stays as it is", async () => {
  await link(path.join(outside, "key"), path.join(tree, "twin"));
  expect(await attack({ path: "twin", entry: FILE, expected: PRECIOUS })).toBe("done");
  await link(path.join(outside, "key"), path.join(tree, "runs"));
  const runs: Entry = { ...PRECIOUS, executable: true };
  expect(await attack({ path: "runs", entry: runs, expected: PRECIOUS })).toBe("done");
  expect(await readFile(path.join(outside, "key"), "utf8")).toBe("precious");
  expect((await stat(path.join(outside, "key"))).mode & 0o111).toBe(0);
});

test("a pipe, a link to a device and links in a circle are neither read nor replaced", async () => {
  await promisify(execFile)("mkfifo", [path.join(tree, "pipe")]);
  await symlink("/dev/zero", path.join(tree, "zero"));
  await symlink("b", path.join(tree, "a"));
  await symlink("a", path.join(tree, "b"));
  await mkdir(path.join(tree, "loop"));
  await symlink("..", path.join(tree, "loop/up"));
  const { changes } = await side.look({ scope: "all", findIgnored: async () => new Set() });
  expect([...changes.keys()].toSorted()).toEqual(["a", "b", "in/file", "loop/up"]);
  for (const name of ["pipe", "zero"])
    expect(await attack({ path: name, entry: FILE })).toBe("sync_conflict");
});

/** Exchanges a folder and a link to the victim, in a thread of its own, again and again. */
function flip(way: string, victim: string): Worker {
  const program = `
    const { renameSync, symlinkSync, rmSync } = require("node:fs");
    const { workerData: [way, victim] } = require("node:worker_threads");
    const exchange = () => {
      renameSync(way, way + "-real");
      symlinkSync(victim, way);
      rmSync(way);
      renameSync(way + "-real", way);
    };
    for (;;) {
      try {
        exchange();
      } catch {
        // A folder was made there meanwhile: it makes room for the real one.
        try {
          rmSync(way, { recursive: true, force: true });
          renameSync(way + "-real", way);
        } catch {
          // It is in its place, or somebody is just writing into what was made.
        }
      }
    }`;
  return new Worker(program, { eval: true, workerData: [way, victim] });
}

/** Without the defence: into what was a folder when it was looked at. */
async function writePlainly(folder: string): Promise<void> {
  try {
    if ((await stat(folder)).isDirectory()) await writeFile(path.join(folder, "plain"), "");
  } catch (error) {
    // In many rounds the folder is just being exchanged.
    if (!hasErrorCode(error, "ENOENT", "ENOTDIR")) throw error;
  }
}

test.runIf(process.platform === "linux")(
  "a folder that turns into a link meanwhile leads no write, read or removal astray",
  async () => {
    await put(tree, { "way/file": "1" });
    const flipping = flip(path.join(tree, "way"), outside);
    let isShown = false;
    for (let round = 0; round < 3_000 && !(isShown && round > 300); round += 1) {
      await attack({ path: `way/new-${round}`, entry: FILE });
      await attack({ path: "way/key" });
      const { changes } = await side.look({ scope: "all", findIgnored: async () => new Set() });
      expect([...changes.values()]).not.toContainEqual(PRECIOUS);
      await writePlainly(path.join(tree, "way"));
      isShown ||= "plain" in (await read(outside));
    }
    await flipping.terminate();
    expect(isShown).toBe(true);
    expect(Object.keys(await read(outside)).toSorted()).toEqual(["key", "plain"]);
  },
);
