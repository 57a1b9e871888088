import { createHash } from "node:crypto";
import { chmod, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { type Deed, type Places, type Vector, VECTORS } from "../../../test/sync/escape-vectors.ts";
import { type Folders, openFolders, put, read, type Words } from "../../../test/sync/folders.ts";
import { Problem } from "../../base/problem.ts";
import type { Entry } from "../core/tree.ts";
import { openServedTree } from "../sync.ts";
import type { ServedTree } from "../sync.ts";
import { packBatch, unpackBatch } from "./batch.ts";

const EVIL = Buffer.from("evil");
const OUTSIDE = { "empty/": "", "folder/key": "precious", key: "precious" };

let folders: Folders;
/** The same, where nothing defends it. */
let bare: Folders;
let places: Places;
let served: ServedTree;

beforeEach(async () => {
  [folders, bare] = [await openFolders(), await openFolders()];
  places = await fill(folders);
  served = openServedTree(folders.sides, "0123456789abcdef");
  await served.open();
});
afterEach(async () => {
  served.close();
  await Promise.all([folders.close(), bare.close()]);
});

async function fill({ root, sides: { remote: tree } }: Folders): Promise<Places> {
  const outside = path.join(root, "outside");
  await put(outside, OUTSIDE);
  await put(tree, { "in/key": "own" });
  return { tree, outside };
}

function fileOf(bytes: string, executable = false): Entry {
  return { kind: "file", hash: createHash("sha256").update(bytes).digest("hex"), executable };
}

type Change = { readonly entry?: Entry; readonly expected?: Entry };

const CHANGES: Readonly<Record<Exclude<Deed, "read" | "list">, Change>> = {
  write: { entry: fileOf("evil") },
  replace: { entry: fileOf("evil"), expected: fileOf("precious") },
  run: { entry: fileOf("precious", true), expected: fileOf("precious") },
  remove: { expected: fileOf("precious") },
  make: { entry: { kind: "folder" } },
};

/** As whoever holds the other end of a wire asks for it. Resolves with what that told of it. */
async function ask(deed: Deed, name: string): Promise<string> {
  try {
    if (deed === "list") return (await look()).filter((one) => one.startsWith(name)).join(" ");
    if (deed === "read") return await readThere(name);
    await change(name, deed === "make" ? `${name}/` : name, CHANGES[deed]);
    return "";
  } catch (error) {
    if (error instanceof Problem) return "";
    throw error;
  }
}

async function change(name: string, there: string, { entry, expected }: Change): Promise<void> {
  if (entry?.kind === "file")
    await served.stage(await packBatch([{ path: name, offset: 0, bytes: EVIL, isEnd: true }]));
  const removals = entry === undefined && expected !== undefined ? [{ path: there, expected }] : [];
  const puts = entry === undefined ? [] : [{ path: there, entry, expected }];
  await served.apply({ removals, puts });
  await served.commit();
}

async function look(): Promise<readonly string[]> {
  let reply = await served.look("all");
  while (reply.kind === "ask") reply = await served.answer([]);
  return reply.changes.map(([name]) => name);
}

async function readThere(name: string): Promise<string> {
  await look();
  const parts = await unpackBatch(await served.read([{ path: name, offset: 0 }]));
  const bytes = (parts ?? []).flatMap((part) => ("bytes" in part ? part.bytes : []));
  return Buffer.concat(bytes).toString();
}

/** The same where a path is put together and used. */
async function askPlainly(tree: string, deed: Deed, name: string): Promise<string> {
  const file = path.resolve(tree, name);
  if (deed === "list") return (await readdir(file)).join(" ");
  if (deed === "read") return readFile(file, "utf8");
  if (deed === "run") await chmod(file, 0o755);
  else if (deed === "remove") await rm(file);
  else if (deed === "make") await mkdir(file);
  else await writeFile(file, EVIL);
  return "";
}

test("there are sixty ways out, and more", () => {
  expect(VECTORS.length).toBeGreaterThan(100);
  expect(new Set(VECTORS.map(({ title }) => title)).size).toBe(VECTORS.length);
});

test.each(VECTORS)(
  "$title: nothing outside is changed or told; by a plain path it would be",
  async ({ deed, name, lay }: Vector) => {
    lay(places);
    const wanted = name(places);
    expect(await ask(deed, wanted)).toBe("");
    expect(await read(places.outside)).toEqual(OUTSIDE);
    const plain = await fill(bare);
    lay(plain);
    const told = await askPlainly(plain.tree, deed, name(plain));
    expect({ told, outside: await read(plain.outside) }).not.toEqual({
      told: "",
      outside: OUTSIDE,
    });
  },
);

const CHANGED: readonly (readonly [Deed, string, Words])[] = [
  ["write", "way/new", { "way/new": "evil", "way/key": "precious" }],
  ["replace", "way/key", { "way/key": "evil" }],
  ["run", "way/key", { "way/key": "+xprecious" }],
  ["remove", "way/key", {}],
  ["make", "way/made", { "way/made/": "", "way/key": "precious" }],
];

test.each(CHANGED)("%s in a folder with nothing wrong about it is done", async (...one) => {
  const [deed, name, expected] = one;
  await put(places.tree, { "way/key": "precious" });
  await ask(deed, name);
  expect(await read(places.tree)).toEqual({ "in/key": "own", ...expected });
});

test.each([
  ["read", "way/key", "precious"],
  ["list", "way/", "way/key"],
] as const)("what such a folder holds is told: %s", async (deed, name, told) => {
  await put(places.tree, { "way/key": "precious" });
  expect(await ask(deed, name)).toBe(told);
});
