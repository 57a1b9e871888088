import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { link, mkdir, readFile, stat, symlink } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

import { afterEach, beforeEach, expect, test } from "vitest";

import { type Folders, openFolders, openSide, put, read } from "../../../test/sync/folders.ts";
import type { Entry } from "../core/tree.ts";
import type { TreeSide } from "../side/tree-side.ts";

const EVIL = Buffer.from("evil");
const FILE: Entry = {
  kind: "file",
  hash: createHash("sha256").update(EVIL).digest("hex"),
  executable: false,
};
/** Where what is not finished lies. */
const ASIDE = ["staged/mine", "staged/mine.old"];
const ONE: Entry = {
  kind: "file",
  hash: createHash("sha256").update("1").digest("hex"),
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

/** As a plan is written down. */
function seal(steps: readonly unknown[]): string {
  const text = JSON.stringify(steps);
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 16);
  return `${hash} ${text}\n`;
}

/** Of whoever can write to the store, as the environment's user can where nothing seals its processes off. */
const FORGED = [
  { path: "key", aside: "../../outside/key", expected: PRECIOUS },
  { path: "../outside/key", aside: "mine", expected: FILE, entry: PRECIOUS },
  { path: "../outside/new", aside: "mine", entry: FILE },
  { path: "in/../../outside/new", aside: "mine", expected: FILE },
];

test.each(FORGED)(
  "a plan that was forged in the store is finished nowhere else (%#)",
  async (step) => {
    const aside = Object.fromEntries(ASIDE.map((name) => [name, "evil"]));
    await put(folders.sides.home, { ...aside, "intents/test.0": seal([step]) });
    await side.recover();
    expect(await read(outside)).toEqual({ key: "precious" });
    // A path that is put together leads there.
    const places = [
      path.join(folders.sides.home, "staged", step.aside),
      path.join(tree, step.path),
    ].map((place) => path.dirname(place));
    expect(places).toContain(outside);
  },
);

test("what was displaced goes to no place that a forged plan names", async () => {
  const step = { path: "../../../outside/new", aside: "mine", expected: FILE };
  await put(folders.sides.home, {
    "staged/mine.old": "evil",
    "intents/test.0": seal([step]),
  });
  await side.recover();
  expect(await read(outside)).toEqual({ key: "precious" });
  expect((await read(folders.root))["outside/new"]).toBeUndefined();
});

test("a folder of the store that is a link to one outside is not followed", async () => {
  await put(folders.sides.home, { "staged/mine.old": "1" });
  await symlink(outside, path.join(folders.sides.home, "trash"));
  await put(folders.sides.home, {
    "intents/test.0": seal([{ path: "in/file", aside: "mine", expected: ONE }]),
  });
  await side.recover().catch(() => undefined); // Nothing can be put there.
  expect(await read(outside)).toEqual({ key: "precious" });
});
