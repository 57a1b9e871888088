import { lstat, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, afterEach, beforeAll, expect, test } from "vitest";

import { exists } from "../../base/remove-inside.ts";
import { parseEnvironmentName } from "../../environment/name.ts";
import { findSpare, listSpareFolders, useUpSpare } from "../home/spare-file.ts";
import type { LiveEnvironment } from "../live/live-environment.ts";
import { patiently, TestEngine, until } from "../test-engine.ts";

/** Nothing runs in it: it is about files. */
const APP = { processes: {}, database: false, files: { clone: ["node_modules"] } };
const DAY_MS = 24 * 60 * 60_000;

let stage: TestEngine;
let source: LiveEnvironment;

beforeAll(async () => {
  stage = await TestEngine.open(undefined, {
    spares: { most: 2, calmMs: 0, leastEntries: 5 },
  });
  // Nothing in its trees counts as changed a moment ago.
  stage.pass(60_000);
  await stage.writeApp("shop", packages(1));
  source = await stage.createApp("shop", APP);
});
afterAll(async () => stage.close());
afterEach(async () => {
  for (const live of stage.engine.registry.list(source.record.app))
    if (live.record.name !== "development") await stage.engine.delete(live);
});

/** A tree of packages that is large, as the limits of these tests go. */
function packages(version: number): Record<string, string> {
  const names = Array.from({ length: 5 }, (_, index) => `node_modules/p${index}/index.js`);
  return Object.fromEntries(names.map((name) => [name, `${name} ${version}`]));
}

/** The folder of the one spare copy that the source has, as soon as it is whole. */
async function untilReady(): Promise<string> {
  return until(async () => {
    stage.engine.spares.touch();
    const [folder] = await listSpareFolders(stage.layout);
    const isWhole = folder !== undefined && (await findSpare(folder)) !== undefined;
    // Its record is there a moment before it is offered.
    return isWhole && stage.engine.spares.describe().length > 0 ? folder : undefined;
  });
}

/** How its files came. */
async function fork(name: string): Promise<{ live: LiveEnvironment; how: string }> {
  let how = "";
  const report: Parameters<TestEngine["fork"]>[2] = {
    ...patiently(),
    report: ({ part, state, detail }) => {
      if (part === "files" && state === "done") how = detail ?? "";
    },
  };
  const live = await stage.fork("shop", name, report);
  return { live, how };
}

const fileIn = (tree: string): string => path.join(tree, "node_modules/p1/index.js");

test("a fork takes the copy that was made ahead, as its source is by then, and another is made", async () => {
  const folder = await untilReady();
  const { ino } = await lstat(path.join(folder, "tree/p1/index.js"));
  // What a tool generates into it belongs to the branch, whatever its lock file says.
  await mkdir(path.join(source.record.files.path, "node_modules/.prisma"), { recursive: true });
  const generated = path.join("node_modules/.prisma/client.js");
  await writeFile(path.join(source.record.files.path, generated), "generated");

  const { live, how } = await fork("one");
  const tree = live.record.files.path;
  expect(how).toMatch(/node_modules \(kept ready\)$/);
  expect((await lstat(fileIn(tree))).ino).toBe(ino);
  expect(await readFile(path.join(tree, generated), "utf8")).toBe("generated");
  await writeFile(fileIn(tree), "the fork's own");
  expect(await readFile(fileIn(source.record.files.path), "utf8")).toContain("p1/index.js 1");

  expect(await untilReady()).not.toBe(folder);
  expect(stage.engine.spares.describe()).toMatchObject([{ name: "node_modules", entries: 13 }]);
  await rm(path.join(source.record.files.path, "node_modules/.prisma"), { recursive: true });
});

test("of forks at one moment one takes it, and the other's files are copied", async () => {
  await untilReady();
  const made = await Promise.all([fork("one"), fork("two")]);
  expect(made.filter(({ how }) => how.includes("kept ready"))).toHaveLength(1);
  for (const { live } of made) {
    const files = await readdir(path.join(live.record.files.path, "node_modules"));
    expect(files).toHaveLength(5);
  }
});

test("a linked workspace takes it as well, and keeps what it has", async () => {
  await untilReady();
  const folder = await stage.writeApp("agent", { "ramet.json": APP });
  const named = { app: source.record.app, name: parseEnvironmentName("agent"), source };
  const files = { kind: "linked", path: folder } as const;
  await stage.engine.create({ ...named, files, searchPath: "/bin" }, patiently());
  expect(await readFile(fileIn(folder), "utf8")).toContain("p1/index.js 1");
  expect(await readdir(folder)).not.toContainEqual(expect.stringMatching(/\.tmp$/));

  const folders = await untilReady();
  const other = await stage.writeApp("other", { "ramet.json": APP, "node_modules/mine": "1" });
  const request = { ...named, name: parseEnvironmentName("other") };
  await stage.engine.create(
    { ...request, files: { kind: "linked", path: other }, searchPath: "/bin" },
    patiently(),
  );
  expect(await readdir(path.join(other, "node_modules"))).toEqual(["mine"]);
  expect(await exists(folders)).toBe(true);
});

test("a server that was killed leaves whole copies to the next, and what it had not finished is swept", async () => {
  const whole = await untilReady();
  const half = path.join(path.dirname(whole), "half");
  await mkdir(path.join(half, "tree"), { recursive: true });
  const lost = { kind: "folder", id: "half", path: half, pid: null };
  expect(await stage.engine.leftovers()).toEqual([lost]);
  await stage.reopen();
  source = stage.engine.registry.require("shop", "development");
  expect(await listSpareFolders(stage.layout)).toEqual([whole]);
  expect((await fork("one")).how).toContain("kept ready");
});

test("doctor removes what nobody owns", async () => {
  await untilReady();
  const half = path.join(stage.layout.home.folder, "spares", "half");
  await mkdir(half);
  await stage.engine.fix(await stage.engine.leftovers());
  expect(await exists(half)).toBe(false);
  expect(await stage.engine.leftovers()).toEqual([]);
});

test("one that was used up and never placed is of no use to anyone, and is swept", async () => {
  const folder = await untilReady();
  // Killed between the two steps of a use.
  await useUpSpare(folder);
  await stage.reopen();
  source = stage.engine.registry.require("shop", "development");
  expect(await exists(folder)).toBe(false);
  expect((await fork("one")).how).not.toContain("kept ready");
});

test("a small tree is kept ready by nobody, and one that no fork asks for is given up after days", async () => {
  const small = await stage.writeApp("small", { "node_modules/p/index.js": "1" });
  await stage.createApp("small", APP);
  const folder = await untilReady();
  expect(stage.engine.spares.describe()).toMatchObject([{ source: source.record.id }]);
  stage.pass(4 * DAY_MS);
  await until(async () => {
    stage.engine.spares.touch();
    return (await exists(folder)) ? undefined : true;
  });
  expect(await exists(small)).toBe(true);
});

test("an app that is deleted leaves none behind", async () => {
  await fork("one");
  const folder = await untilReady();
  await stage.engine.deleteApp(source.record.app);
  await until(async () => ((await exists(folder)) ? undefined : true));
  expect(await listSpareFolders(stage.layout)).toEqual([]);
});
