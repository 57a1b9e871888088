import { randomBytes } from "node:crypto";
import { chmod, mkdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { type Folders, openFolders, put, read, type Words } from "../../../test/sync/folders.ts";
import { OtherMachine } from "../../../test/sync/other-machine.ts";
import { compareFar, transferFar } from "../sync.ts";
import type { FarSides, Transferred, Wire } from "../sync.ts";

const KB = 1024;
const SIZE = 5 * KB * KB;
/** Names and hashes: a hundredth of what it would be with the bytes. */
const FEW = 20 * KB;
const SAME = { local: [], remote: [], conflicts: [] };
const WAYS = ["push", "pull"] as const;

type Way = (typeof WAYS)[number];

let folders: Folders;
let machine: OtherMachine;
let bytes: Buffer;

beforeEach(async () => {
  folders = await openFolders();
  machine = new OtherMachine(folders.sides);
  bytes = randomBytes(SIZE);
  await writeFile(path.join(folders.sides.local, "old.bin"), bytes);
  await send("push");
});
afterEach(async () => {
  machine.close();
  await folders.close();
});

async function send(way: Way, sides = machine.sides): Promise<Transferred> {
  machine.mend();
  return transferFar(sides, { force: false }, way);
}

function sidesOf(way: Way): { readonly source: string; readonly target: string } {
  const { local, remote } = folders.sides;
  return way === "push" ? { source: local, target: remote } : { source: remote, target: local };
}

async function move(way: Way, from: string, to: string): Promise<void> {
  const { source } = sidesOf(way);
  await mkdir(path.dirname(path.join(source, to)), { recursive: true });
  await rename(path.join(source, from), path.join(source, to));
}

async function expectSame(way: Way, name: string): Promise<void> {
  expect((await readFile(path.join(sidesOf(way).target, name))).equals(bytes)).toBe(true);
  expect(await compareFar(machine.sides)).toMatchObject(SAME);
}

/** With a wire that is otherwise in one of its calls. */
function withWire(change: (wire: Wire) => Partial<Wire>): FarSides {
  const { connect, ...sides } = machine.sides;
  return {
    ...sides,
    connect: (pair) => {
      const wire = connect(pair);
      return { ...wire, ...change(wire) };
    },
  };
}

test.each(WAYS)("of a file that has another name by now a %s moves that alone", async (way) => {
  await move(way, "old.bin", "folder/new.bin");
  await chmod(path.join(sidesOf(way).source, "folder/new.bin"), 0o755);
  expect((await send(way)).changed).toEqual(["folder/new.bin", "old.bin"]);
  expect(machine.bytes).toBeLessThan(FEW);
  await expectSame(way, "folder/new.bin");
  const { mode } = await stat(path.join(sidesOf(way).target, "folder/new.bin"));
  expect(mode & 0o777).toBe(0o755);
});

test.each(WAYS)("so it is with a %s of a file that was moved over another one", async (way) => {
  await writeFile(path.join(sidesOf(way).source, "new.bin"), randomBytes(SIZE));
  await send(way);
  await move(way, "old.bin", "new.bin");
  expect((await send(way)).changed).toEqual(["new.bin", "old.bin"]);
  expect(machine.bytes).toBeLessThan(FEW);
  await expectSame(way, "new.bin");
});

test.each(WAYS)("and of a folder with many small ones (%s)", async (way) => {
  const { source, target } = sidesOf(way);
  const names = Array.from({ length: 30 }, (_, index) => `folder/${index}`);
  const texts = names.map((name) => [name, randomBytes(10 * KB).toString("base64")] as const);
  const words: Words = Object.fromEntries(texts);
  await put(source, words);
  await send(way);
  await move(way, "folder", "other");
  await send(way);
  expect(machine.bytes).toBeLessThan(2 * FEW);
  const moved = texts.map(([name, text]) => [name.replace("folder", "other"), text] as const);
  expect(await read(path.join(target, "other"))).toEqual(
    Object.fromEntries(moved.map(([name, text]) => [path.basename(name), text])),
  );
});

test("what was removed is changed there in that instant: it stays, and nothing torn gets its new name", async () => {
  await move("push", "old.bin", "new.bin");
  const theirs = path.join(folders.sides.remote, "old.bin");
  const writing = withWire((wire) => ({
    apply: async (plan) => {
      await writeFile(theirs, "theirs");
      return wire.apply(plan);
    },
  }));
  const { changed, left } = await send("push", writing);
  expect([changed, left.map(({ code }) => code)]).toEqual([[], ["sync_conflict", "sync_conflict"]]);
  expect(await read(folders.sides.remote)).toEqual({ "old.bin": "theirs" });
  expect(await compareFar(machine.sides)).toMatchObject({
    local: ["new.bin"],
    remote: [],
    conflicts: ["old.bin"],
  });
});

test("a server of before this is sent the whole", async () => {
  await move("push", "old.bin", "new.bin");
  const older = withWire((wire) => ({
    open: async () => ({ ...(await wire.open()), takesOver: undefined }),
  }));
  await send("push", older);
  expect(machine.bytes).toBeGreaterThan(SIZE);
  await expectSame("push", "new.bin");
});
