import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { type Folders, openFolders, put, read } from "../../../test/sync/folders.ts";
import { codeOf, OtherMachine } from "../../../test/sync/other-machine.ts";
import type { Entry } from "../core/tree.ts";
import { transferFar } from "../sync.ts";
import type { Transferred, Wire } from "../sync.ts";
import { packBatch } from "./batch.ts";

const MINE = { "mine.txt": "mine\n" };
const EVIL = Buffer.from("evil");
const hash = createHash("sha256").update(EVIL).digest("hex");
const EVIL_FILE: Entry = { kind: "file", hash, executable: true };

let folders: Folders;
let machine: OtherMachine;

beforeEach(async () => {
  folders = await openFolders();
  machine = new OtherMachine(folders.sides);
  await put(folders.sides.local, MINE);
});
afterEach(async () => {
  machine.close();
  await folders.close();
});

/** Pulls with force from a server that answers these calls as it likes. */
async function pullFrom(lies: Partial<Wire>): Promise<Transferred> {
  const { connect, ...sides } = machine.sides;
  const lying = { ...sides, connect: (pair: string) => ({ ...connect(pair), ...lies }) };
  return transferFar(lying, { force: true }, "pull");
}

/** A look that finds this, and the bytes of it. */
function telling(name: string, entry: Entry, bytes: Uint8Array = EVIL): Partial<Wire> {
  return {
    look: async () =>
      Promise.resolve({
        kind: "look",
        changes: [
          ["mine.txt", { kind: "file", hash: sha("mine\n"), executable: false }],
          [name, entry],
        ],
        unknown: [],
        isPartial: false,
      }),
    read: async () => packBatch([{ path: name, offset: 0, bytes, isEnd: true }]),
  };
}

function sha(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

async function expectUntouched(): Promise<void> {
  expect(await read(folders.sides.local)).toEqual(MINE);
  expect((await readdir(folders.root)).toSorted()).toEqual(["local", "remote"]);
  const own = await readdir(path.join(folders.sides.local, ".ramet"));
  expect(own).not.toContain("environment.json");
  expect(await readdir(folders.sides.local)).not.toContain(".git");
}

test.each([
  "../evil",
  "a/../../evil",
  "/tmp/evil",
  ".git/hooks/post-checkout",
  "a/.GIT/config",
  ".ramet/environment.json",
  "a\0b",
  "x".repeat(300),
])("a server that tells of %j brings nothing there", async (name) => {
  const { changed, left } = await pullFrom(telling(name, EVIL_FILE));
  expect(changed).toEqual([]);
  expect(left.map(({ code }) => code)).toEqual(["sync_outside"]);
  await expectUntouched();
  // What it may bring it brings, in the same way.
  expect((await pullFrom(telling("good", EVIL_FILE))).changed).toEqual(["good"]);
});

test.each(["/etc", "..", "a/../.."])("a link of a server's to %j is not made", async (target) => {
  const { left } = await pullFrom(telling("link", { kind: "link", target }));
  expect(left.map(({ code }) => code)).toEqual(["sync_outside"]);
  await expectUntouched();
});

test("bytes that are not what was told of are not put, nor those of another file", async () => {
  const other = await pullFrom(telling("file", EVIL_FILE, Buffer.from("worse")));
  expect(other.left.map(({ code }) => code)).toEqual(["sync_conflict"]);
  const { look } = telling("file", EVIL_FILE);
  const swapped = await pullFrom({ ...telling("elsewhere", EVIL_FILE), ...(look && { look }) });
  expect(swapped.left.map(({ code }) => code)).toEqual(["sync_conflict"]);
  await expectUntouched();
});

async function ask(): ReturnType<Wire["look"]> {
  return Promise.resolve({ kind: "ask", names: ["a"] });
}

test("a server that asks without end, or sends a file that has none, is left", async () => {
  expect(await codeOf(pullFrom({ look: ask, answer: ask }))).toBe("wire_broken");
  const none = new Uint8Array(0);
  const endless: Wire["read"] = async ([want]) =>
    packBatch([{ path: "file", offset: want?.offset ?? 0, bytes: none, isEnd: false }]);
  const { left } = await pullFrom({ ...telling("file", EVIL_FILE), read: endless });
  expect(left.map(({ code }) => code)).toEqual(["wire_broken"]);
  const lying: Wire["read"] = async (wants) => {
    const batch = await telling("file", EVIL_FILE).read?.(wants);
    return { parts: batch?.parts ?? [], packed: "AAAA" };
  };
  const lied = await pullFrom({ ...telling("file", EVIL_FILE), read: lying });
  expect(lied.left.map(({ code }) => code)).toEqual(["wire_broken"]);
  await expectUntouched();
});
