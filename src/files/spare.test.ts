import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";

import { exists } from "../base/remove-inside.ts";
import {
  bringFiles,
  fillSpare,
  findOwner,
  keepFiles,
  moveSpare,
  renewSpare,
  surveySpare,
} from "./files.ts";
import type { Owner, PlaceReady } from "./files.ts";

const IS_ROOT = process.getuid?.() === 0;
/** Where the clock of the survey is: nothing in these trees counts as changed a moment ago. */
const LATER_MS = 60_000;
const NAME = "node_modules";
const OURS = findOwner(null);
const PATIENTLY = { pause: async () => undefined, owner: OURS };

let root = "";
let source = "";
let target = "";
let folder = "";
let made = 0;

beforeEach(async () => {
  root = await realpath(await mkdtemp(path.join(tmpdir(), "ramet-spare-")));
  await openTrees();
});
afterEach(async () => rm(root, { recursive: true, force: true }));

async function openTrees(): Promise<void> {
  made += 1;
  source = path.join(root, `source-${made}`);
  target = path.join(root, `target-${made}`);
  folder = path.join(root, `spare-${made}`);
  for (const one of [path.join(source, NAME), target, folder])
    await mkdir(one, { recursive: true });
}

async function put(name: string, text = name): Promise<void> {
  const file = path.join(source, NAME, name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, text);
}

async function makeSpare(owner: Owner | null = OURS): Promise<void> {
  const spare = { folder, root: source, name: NAME };
  await surveySpare(spare, Date.now() + LATER_MS);
  await fillSpare(spare, { ...PATIENTLY, owner });
}

/** `owner`: whose it was made for. */
function placing(owner: Owner | null): PlaceReady {
  return async (entry) => {
    const isRenewed = await renewSpare({ folder, owner }, entry);
    if (isRenewed) await moveSpare(folder, entry);
    return isRenewed;
  };
}

const use = placing(OURS);

async function place(): Promise<boolean> {
  return use({ source, target, name: NAME, user: null });
}

/** Kind, mode, time and contents of everything below. */
async function describe(tree: string): Promise<Record<string, string>> {
  const names = (await readdir(tree, { recursive: true })).toSorted();
  const lines = names.map(async (name) => {
    const at = path.join(tree, name);
    const stats = await lstat(at);
    const seconds = Math.round(stats.mtimeMs / 1000);
    if (stats.isSymbolicLink()) return [name, `-> ${await readlink(at)}`] as const;
    if (stats.isDirectory()) return [name, `folder ${stats.mode}`] as const;
    return [name, `${stats.mode} ${seconds} ${await readFile(at, "utf8")}`] as const;
  });
  return Object.fromEntries(await Promise.all(lines));
}

type Change = (name: string) => Promise<unknown>;

/** Whatever a running app, an install or a person may do to an entry. */
const CHANGES: Readonly<Record<string, Change>> = {
  "is written anew, as long and as old as before": async (at) => {
    const stats = await lstat(at);
    if (!stats.isFile()) return;
    await writeFile(at, "x".repeat(stats.size));
    await utimes(at, stats.atimeMs / 1000, stats.mtimeMs / 1000);
  },
  "is removed": async (at) => rm(at, { recursive: true, force: true }),
  "becomes a folder with files": async (at) => {
    await rm(at, { recursive: true, force: true });
    await mkdir(path.join(at, "inner"), { recursive: true });
    await writeFile(path.join(at, "inner", "file"), at);
  },
  "becomes a file": async (at) => {
    await rm(at, { recursive: true, force: true });
    await writeFile(at, "file");
  },
  "becomes a link": async (at) => {
    await rm(at, { recursive: true, force: true });
    await symlink("../somewhere", at);
  },
  "may be run": async (at) => ((await lstat(at)).isSymbolicLink() ? undefined : chmod(at, 0o755)),
  "is renamed": async (at) => rename(at, `${at}-renamed`),
};

const ENTRIES = ["a", "a/b.js", "a/c", "a/c/d.js", "e/f/g.js", "h.js", ".bin/tool"];

test("whatever changed since it was made, a spare copy becomes what its original is now", async () => {
  const step = fc.tuple(fc.constantFrom(...ENTRIES), fc.constantFrom(...Object.keys(CHANGES)));
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 6 }), async (steps) => {
      await openTrees();
      for (const name of ["a/b.js", "a/c/d.js", "e/f/g.js", "h.js"]) await put(name);
      await put("empty/x");
      await rm(path.join(source, NAME, "empty", "x"));
      await mkdir(path.join(source, NAME, ".bin"));
      await symlink("../h.js", path.join(source, NAME, ".bin/tool"));
      await makeSpare();
      for (const [name, what] of steps) {
        const at = path.join(source, NAME, name);
        // What an earlier step took away, or what is below a file by now, cannot be changed again.
        if (await exists(at)) await CHANGES[what]?.(at);
      }
      expect(await place()).toBe(true);
      expect(await describe(path.join(target, NAME))).toEqual(
        await describe(path.join(source, NAME)),
      );
    }),
    { numRuns: 25 },
  );
});

test("a file that changed in the very moment of the survey is copied again", async () => {
  await put("a.js", "old");
  await surveySpare({ folder, root: source, name: NAME }, Date.now());
  await fillSpare({ folder, root: source, name: NAME }, PATIENTLY);
  // What the kernel would say of a change within the same tick of its clock: nothing.
  await writeFile(path.join(folder, "tree", "a.js"), "torn");
  expect(await place()).toBe(true);
  expect(await readFile(path.join(target, NAME, "a.js"), "utf8")).toBe("old");
});

test("what came into the original after the survey, and went again, is in no copy", async () => {
  await put("a.js");
  await surveySpare({ folder, root: source, name: NAME }, Date.now() + LATER_MS);
  await put("deep/late.js");
  await fillSpare({ folder, root: source, name: NAME }, PATIENTLY);
  await rm(path.join(source, NAME, "deep"), { recursive: true });
  expect(await place()).toBe(true);
  expect(await readdir(path.join(target, NAME))).toEqual(["a.js"]);
});

test("a fork's files share nothing with its source's, and links into the source lead into the fork", async () => {
  await put("a/index.js");
  await put("native/x.node");
  await symlink(path.join(source, "packages/ui"), path.join(source, NAME, "ui"));
  await symlink("/etc/hostname", path.join(source, NAME, "outer"));
  await makeSpare();
  const { ino } = await lstat(path.join(folder, "tree/a/index.js"));
  const { detail, brought } = await bringFiles({
    source,
    target,
    clone: [NAME],
    user: null,
    ready: use,
  });

  expect([detail, brought]).toEqual(["node_modules (kept ready)", [NAME]]);
  const copy = path.join(target, NAME);
  // It was moved, not copied once more.
  expect(await lstat(path.join(copy, "a/index.js"))).toMatchObject({ ino, nlink: 1 });
  await writeFile(path.join(copy, "a/index.js"), "the fork's");
  expect(await readFile(path.join(source, NAME, "a/index.js"), "utf8")).toBe("a/index.js");
  expect(await readlink(path.join(copy, "ui"))).toBe(path.join(target, "packages/ui"));
  expect(await readlink(path.join(copy, "outer"))).toBe("/etc/hostname");
});

test("a kept tree takes it too, and says how it was made", async () => {
  await put("a/index.js");
  await writeFile(path.join(source, ".gitignore"), NAME);
  await makeSpare();
  const { detail } = await keepFiles({ source, target, clone: [NAME], user: null, ready: use });
  expect(detail).toMatch(/^(?:copied|reflink) 1 files, node_modules \(kept ready\)$/);
  expect(await exists(path.join(target, NAME, "a/index.js"))).toBe(true);
});

test("where too much is different, or the original is gone, it is of no use, and a copy is made", async () => {
  await put("a.js");
  await makeSpare();
  for (let index = 0; index < 201; index += 1) await put(`many/${index}.js`, "");
  expect(await place()).toBe(false);
  expect(await exists(path.join(target, NAME))).toBe(false);
  const { detail } = await bringFiles({ source, target, clone: [NAME], user: null, ready: use });
  expect(detail).toMatch(/^(?:copied|reflink) node_modules$/);
  expect(await readdir(path.join(target, NAME, "many"))).toHaveLength(201);
  await rm(path.join(source, NAME), { recursive: true });
  await rm(path.join(target, NAME), { recursive: true });
  expect(await place()).toBe(false);
});

test.each(["survey", "renewal"])(
  "a folder that becomes a link before the %s brings nothing from where it leads",
  async (when) => {
    const outside = path.join(root, "outside");
    await mkdir(outside);
    await writeFile(path.join(outside, "key"), "secret");
    await put("a/index.js");
    const plant = async (): Promise<void> => {
      await rm(path.join(source, NAME, "a"), { recursive: true });
      await symlink(outside, path.join(source, NAME, "a"));
    };
    if (when === "survey") await plant();
    await makeSpare();
    if (when === "renewal") await plant();
    // Whoever follows links finds it.
    expect(await readFile(path.join(source, NAME, "a/key"), "utf8")).toBe("secret");
    expect(await place()).toBe(true);
    expect(await readlink(path.join(target, NAME, "a"))).toBe(outside);
  },
);

const HEIR = { uid: 712_345, gid: 712_345 };

test.skipIf(!IS_ROOT).each([
  ["itself", HEIR],
  ["another", { uid: 712_346, gid: 712_346 }],
  ["nobody that is known", null],
])("as root all of it becomes its user's, where it was made for %s", async (_whom, owner) => {
  await put("a/index.js");
  await symlink("a", path.join(source, NAME, "b"));
  await makeSpare(owner);
  await put("late/index.js");
  await put("a/index.js", "another");
  const ready = placing(owner);
  const user = { ...HEIR, home: "/", name: "x" };
  await bringFiles({ source, target, clone: [NAME], user, ready });
  for (const name of ["", "a", "a/index.js", "b", "late", "late/index.js"])
    expect(await lstat(path.join(target, NAME, name))).toMatchObject(HEIR);
});

test.skipIf(!IS_ROOT)(
  "as root what was made for its user is given to nobody once more",
  async () => {
    await put("a/index.js");
    await makeSpare(HEIR);
    const before = await lstat(path.join(folder, "tree/a/index.js"));
    const user = { ...HEIR, home: "/", name: "x" };
    const ready = placing(HEIR);
    await bringFiles({ source, target, clone: [NAME], user, ready });
    const { uid, ctimeMs } = await lstat(path.join(target, NAME, "a/index.js"));
    expect({ uid, ctimeMs }).toEqual({ uid: HEIR.uid, ctimeMs: before.ctimeMs });
  },
);

test.skipIf(!IS_ROOT)(
  "as root what runs on a folder of root's own gets files of root's",
  async () => {
    await put("a/index.js");
    await makeSpare(HEIR);
    const ready = placing(HEIR);
    await bringFiles({ source, target, clone: [NAME], user: null, ready });
    expect(await lstat(path.join(target, NAME, "a/index.js"))).toMatchObject({ uid: 0, gid: 0 });
  },
);
