import {
  chmod,
  mkdir,
  mkdtemp,
  rename,
  rm,
  symlink,
  unlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { pinFolder } from "../base/pinned.ts";
import type { Pinned } from "../base/pinned.ts";
import { findDifferences } from "./differences.ts";
import type { Differences } from "./differences.ts";
import { pinInside, within } from "./pin-inside.ts";
import { kindAt, listEntries, readTreeList, writeTreeList } from "./tree-list.ts";
import type { TreeList } from "./tree-list.ts";

let folder = "";
let root = "";

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "ramet-differences-"));
  root = path.join(folder, "node_modules");
  await put("a/index.js");
  await put("a/lib/deep.js");
  await put("b.js");
  await symlink("b.js", at("link"));
});
afterEach(async () => rm(folder, { recursive: true }));

const at = (name: string): string => path.join(root, name);

async function put(name: string): Promise<void> {
  await mkdir(path.dirname(at(name)), { recursive: true });
  await writeFile(at(name), name);
}

function use<T>(work: (pinned: Pinned) => T): T {
  const pinned = pinFolder(root);
  if (pinned === undefined) throw new Error("It is there.");
  try {
    return work(pinned);
  } finally {
    pinned.close();
  }
}

/** As if nothing had changed a moment ago. */
const list = (freshMs = Infinity): TreeList =>
  use((pinned) => listEntries(pinned, "node_modules", freshMs));

async function differencesAfter(change: () => Promise<unknown>): Promise<Differences> {
  const before = list();
  await change();
  return use((pinned) => findDifferences(pinned, root, before));
}

const sorted = (names: readonly string[]): string[] => names.toSorted((a, b) => a.localeCompare(b));

test("a tree that nobody touched differs in nothing, and all that is there is told", async () => {
  const { names, ...different } = await differencesAfter(async () => undefined);
  expect(different).toEqual({ gone: [], changed: [], touched: [] });
  expect(sorted(names)).toEqual(["", "a", "a/index.js", "a/lib", "a/lib/deep.js", "b.js", "link"]);
});

type Case = {
  readonly what: string;
  readonly change: () => Promise<unknown>;
  readonly gone: readonly string[];
  readonly changed: readonly string[];
  readonly touched: readonly string[];
};

const CASES: readonly Case[] = [
  {
    what: "a file is written, and its time set back",
    change: async () => {
      await writeFile(at("b.js"), "B.JS");
      await utimes(at("b.js"), 1, 1);
    },
    gone: [],
    changed: ["b.js file"],
    touched: [""],
  },
  {
    what: "a file may be run",
    change: async () => chmod(at("b.js"), 0o755),
    gone: [],
    changed: ["b.js file"],
    touched: [""],
  },
  {
    what: "a file comes",
    change: async () => put("a/lib/new.js"),
    gone: [],
    changed: ["a/lib folder", "a/lib/new.js file"],
    touched: ["a", "a/lib"],
  },
  {
    what: "a package comes",
    change: async () => put("c/d/e.js"),
    gone: [],
    changed: [" folder", "c folder", "c/d folder", "c/d/e.js file"],
    touched: ["", "c", "c/d"],
  },
  {
    what: "a package goes",
    change: async () => rm(at("a"), { recursive: true }),
    gone: ["a", "a/index.js", "a/lib", "a/lib/deep.js"],
    changed: [" folder"],
    touched: [""],
  },
  {
    what: "a folder becomes a file",
    change: async () => {
      await rm(at("a/lib"), { recursive: true });
      await put("a/lib");
    },
    gone: ["a/lib", "a/lib/deep.js"],
    changed: ["a folder", "a/lib file"],
    touched: ["", "a", "a/lib"],
  },
  {
    what: "a folder becomes a link to where the same lies",
    change: async () => {
      await rename(at("a"), at("moved"));
      await symlink("moved", at("a"));
    },
    gone: ["a", "a/index.js", "a/lib", "a/lib/deep.js"],
    changed: [
      " folder",
      "a link",
      "moved folder",
      "moved/index.js file",
      "moved/lib folder",
      "moved/lib/deep.js file",
    ],
    touched: ["", "a", "moved", "moved/lib"],
  },
  {
    what: "a link leads elsewhere",
    change: async () => {
      await unlink(at("link"));
      await symlink("a", at("link"));
    },
    gone: [],
    changed: [" folder", "link link"],
    touched: [""],
  },
];

test.each(CASES)("where $what, that is what differs", async ({ change, ...expected }) => {
  const found = await differencesAfter(change);
  const changed = found.changed.map(({ name, kind }) => `${name} ${kind}`);
  expect(sorted(found.gone)).toEqual(expected.gone);
  expect(sorted(changed)).toEqual(sorted(expected.changed));
  expect(sorted(found.touched)).toEqual(expected.touched);
});

test("what is gone is told from the inside out, what is new from the outside in", async () => {
  const { gone, changed } = await differencesAfter(async () => {
    await rm(at("a"), { recursive: true });
    await put("z/y/x.js");
  });
  expect(gone.indexOf("a")).toBeGreaterThan(gone.indexOf("a/lib"));
  expect(gone.indexOf("a/lib")).toBeGreaterThan(gone.indexOf("a/lib/deep.js"));
  const names = changed.map(({ name }) => name);
  expect(names.indexOf("z")).toBeLessThan(names.indexOf("z/y"));
  expect(names.indexOf("z/y")).toBeLessThan(names.indexOf("z/y/x.js"));
});

test("what changed a moment before it was listed, and a link to an absolute path, count as changed", async () => {
  await symlink(path.join(root, "b.js"), at("absolute"));
  const { changed } = await differencesAfter(async () => undefined);
  expect(changed).toEqual([{ name: "absolute", kind: "link" }]);
  const before = list(0);
  const found = use((pinned) => findDifferences(pinned, root, before));
  expect(found.changed).toHaveLength(before.names.length);
});

test("what tools leave for one folder's own use is neither listed nor new", async () => {
  await put(".vite/deps.js");
  expect(list().names).not.toContain(".vite");
  const { changed } = await differencesAfter(async () => {
    await put(".cache/x");
    await put(".vite/more.js");
  });
  expect(changed.map(({ name }) => name)).toEqual([""]);
});

test("a list is read as it was written, and never written over another", async () => {
  const file = path.join(folder, "list");
  const written = list();
  writeTreeList(file, written);
  const read = readTreeList(file);
  expect(read.names).toEqual(written.names);
  expect(read.stamps).toEqual(written.stamps);
  expect(kindAt(read, read.names.indexOf("link"))).toBe("link");
  expect(() => writeTreeList(file, written)).toThrow(/EEXIST/);
});

test("a folder below is entered step by step: a link on the way leads nowhere", async () => {
  await mkdir(path.join(folder, "outside/inner"), { recursive: true });
  await symlink(path.join(folder, "outside"), at("out"));
  expect(pinInside(root, "out/inner")).toBeUndefined();
  expect(pinInside(root, "missing")).toBeUndefined();
  pinInside(root, "a/lib")?.close();
  const seen: string[] = [];
  use((pinned) => {
    within(pinned, "out/inner", (found) => seen.push(found));
    within(pinned, "a/lib/deep.js", (found) => seen.push(path.basename(found)));
  });
  expect(seen).toEqual(["deep.js"]);
});
