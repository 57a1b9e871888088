import { randomBytes } from "node:crypto";
import { open, readFile, truncate, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { type Folders, openFolders } from "../../../test/sync/folders.ts";
import { OtherMachine } from "../../../test/sync/other-machine.ts";
import { Problem } from "../../base/problem.ts";
import { compareFar, transferFar } from "../sync.ts";
import type { FarSides, Transferred, Wire } from "../sync.ts";
import { LARGE_BYTES } from "./pieces.ts";

const MB = 1024 * 1024;
const SIZE = 5 * MB;
/** Three places, each of two pieces or three, and what tells of all the others. */
const FEW = MB;
const SAME = { local: [], remote: [], conflicts: [] };

let folders: Folders;
let machine: OtherMachine;
let here: string;
let there: string;

beforeEach(async () => {
  folders = await openFolders();
  machine = new OtherMachine(folders.sides);
  here = path.join(folders.sides.local, "large.bin");
  there = path.join(folders.sides.remote, "large.bin");
  await writeFile(here, randomBytes(SIZE));
  await send("push");
});
afterEach(async () => {
  machine.close();
  await folders.close();
});

async function send(direction: "push" | "pull", sides = machine.sides): Promise<Transferred> {
  machine.mend();
  return transferFar(sides, { force: false }, direction);
}

/** At its beginning and its end, and 1,000 bytes that come between the others. */
async function changeSome(file: string): Promise<Buffer> {
  const bytes = await readFile(file);
  bytes.write("the beginning");
  bytes.write("the end", SIZE - 7);
  const changed = [bytes.subarray(0, SIZE / 2), randomBytes(1_000), bytes.subarray(SIZE / 2)];
  await writeFile(file, Buffer.concat(changed));
  return Buffer.concat(changed);
}

async function expectBoth(bytes: Buffer): Promise<void> {
  for (const file of [here, there]) expect((await readFile(file)).equals(bytes)).toBe(true);
  expect(await compareFar(machine.sides)).toMatchObject(SAME);
}

/** Something happens there just before each call of this name. */
function before(name: keyof Wire, act: () => Promise<void>): FarSides {
  const { connect, ...sides } = machine.sides;
  const acting = (wire: Wire): Wire => ({
    ...wire,
    read: async (wants) => after(name === "read", async () => wire.read(wants)),
    stage: async (batch) => after(name === "stage", async () => wire.stage(batch)),
  });
  const after = async <T>(isNow: boolean, work: () => Promise<T>): Promise<T> => {
    if (isNow) await act();
    return work();
  };
  return { ...sides, connect: (pair) => acting(connect(pair)) };
}

test.each(["push", "pull"] as const)(
  "of a large file that was changed in three places a %s moves little more than those",
  async (direction) => {
    const changed = await changeSome(direction === "push" ? here : there);
    expect((await send(direction)).changed).toEqual(["large.bin"]);
    expect(machine.bytes).toBeLessThan(FEW);
    await expectBoth(changed);
  },
);

test.each(["push", "pull"] as const)(
  "of one that grew, or was cut off, a %s moves the end alone",
  async (direction) => {
    const source = direction === "push" ? here : there;
    const whole = await readFile(source);
    const grown = Buffer.concat([whole, randomBytes(MB)]);
    await writeFile(source, grown);
    await send(direction);
    expect(machine.bytes).toBeLessThan(MB + FEW);
    await expectBoth(grown);
    await truncate(source, LARGE_BYTES);
    await send(direction);
    expect(machine.bytes).toBeLessThan(FEW);
    await expectBoth(whole.subarray(0, LARGE_BYTES));
  },
);

test.each(["push", "pull"] as const)(
  "one that has nothing in common with what stood there goes whole with a %s",
  async (direction) => {
    const other = randomBytes(SIZE);
    await writeFile(direction === "push" ? here : there, other);
    await send(direction);
    expect(machine.bytes).toBeGreaterThan(SIZE);
    await expectBoth(other);
  },
);

test("where the file there is written anew meanwhile, and is the same, the whole of ours goes", async () => {
  const changed = await changeSome(here);
  let count = 0;
  const touch = async (): Promise<void> => {
    count += 1;
    if (count === 1) await writeFile(there, await readFile(there));
  };
  const { changed: paths, left } = await send("push", before("stage", touch));
  expect([paths, left]).toEqual([["large.bin"], []]);
  expect(machine.bytes).toBeGreaterThan(SIZE);
  await expectBoth(changed);
});

test("where it becomes another meanwhile it stays, and is a conflict", async () => {
  const [ours, theirs] = [await changeSome(here), randomBytes(1_000)];
  const write = async (): Promise<void> => writeFile(there, theirs);
  const { changed, left } = await send("push", before("stage", write));
  expect([changed, left.map(({ code }) => code)]).toEqual([[], ["sync_conflict"]]);
  expect((await readFile(there)).equals(theirs)).toBe(true);
  expect((await readFile(here)).equals(ours)).toBe(true);
});

test("what changes of ours while a pull takes it over is asked for instead, and stays as it became", async () => {
  const changed = await changeSome(there);
  let count = 0;
  const write = async (): Promise<void> => {
    count += 1;
    if (count > 1) return;
    const file = await open(here, "r+");
    await file.write("ours", 3 * MB);
    await file.close();
  };
  const { left } = await send("pull", before("read", write));
  expect(left.map(({ code }) => code)).toEqual(["sync_conflict"]);
  expect((await readFile(here)).subarray(3 * MB, 3 * MB + 4).toString()).toBe("ours");
  expect(machine.messages.filter((name) => name === "read").length).toBeGreaterThan(1);
  expect((await readFile(there)).equals(changed)).toBe(true);
});

test("a server of before there were pieces is asked once, and gets and gives whole files", async () => {
  let asked = 0;
  const { connect, ...sides } = machine.sides;
  const pieces = async (): Promise<never> => {
    asked += 1;
    return Promise.reject(
      new Problem({ code: "call_unknown", message: "Unknown.", remedy: "Upgrade." }),
    );
  };
  const older = { ...sides, connect: (pair: string): Wire => ({ ...connect(pair), pieces }) };
  await writeFile(path.join(folders.sides.local, "second.bin"), randomBytes(LARGE_BYTES));
  await send("push", older);
  await writeFile(path.join(folders.sides.local, "second.bin"), randomBytes(LARGE_BYTES));
  const changed = await changeSome(here);
  await send("push", older);
  expect(asked).toBe(1);
  expect(machine.bytes).toBeGreaterThan(SIZE);
  await expectBoth(changed);
  const again = await changeSome(there);
  await send("pull", older);
  expect(machine.bytes).toBeGreaterThan(SIZE);
  await expectBoth(again);
});

test("a file that is small, or new, is brought without a question", async () => {
  const small = path.join(folders.sides.local, "small.bin");
  for (let count = 0; count < 2; count += 1) {
    await writeFile(small, randomBytes(LARGE_BYTES - 1));
    await writeFile(path.join(folders.sides.local, `new-${count}.bin`), randomBytes(LARGE_BYTES));
    await send("push");
    expect(machine.messages).not.toContain("pieces");
  }
});

test("pieces that a server tells of and that are not so bring nothing, and take no memory", async () => {
  await changeSome(there);
  const { connect, ...sides } = machine.sides;
  const lying = (pair: string): Wire => {
    const wire = connect(pair);
    return { ...wire, pieces: async () => exaggerate(await wire.pieces("large.bin")) };
  };
  const was = await readFile(here);
  const { left } = await send("pull", { ...sides, connect: lying });
  expect(left.map(({ code }) => code)).toEqual(["sync_conflict"]);
  expect((await readFile(here)).equals(was)).toBe(true);
});

function exaggerate(pieces: Awaited<ReturnType<Wire["pieces"]>>): typeof pieces {
  return (pieces ?? []).map(([size, hash]) => [size * 1e9, hash]);
}
