import { cp, rm } from "node:fs/promises";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { type Folders, openFolders, put } from "../../../test/sync/folders.ts";
import { codeOf, OtherMachine } from "../../../test/sync/other-machine.ts";
import { planMirror } from "../core/plan.ts";
import { FarPair, type FarSides } from "./far-pair.ts";

let folders: Folders;
let machine: OtherMachine;
/** The names of the pairs for which somebody connected. */
let names: string[];

beforeEach(async () => {
  folders = await openFolders();
  machine = new OtherMachine(folders.sides);
  names = [];
  await put(folders.sides.local, { "a.txt": "a\n" });
});
afterEach(async () => {
  machine.close();
  await folders.close();
});

function pairOf(others: Partial<FarSides> = {}): FarPair {
  const connect: FarSides["connect"] = (pair) => {
    names.push(pair);
    return machine.sides.connect(pair);
  };
  return new FarPair({ ...machine.sides, connect, ...others });
}

async function visit(pair: FarPair): Promise<void> {
  await pair.with(async (both) => both.look("all"));
  await pair.close();
}

test("a workspace has one name with one tree; its copy, and another tree, have names of their own", async () => {
  const copy = path.join(folders.root, "copy");
  await visit(pairOf());
  await visit(pairOf());
  await cp(folders.sides.local, copy, { recursive: true });
  await visit(pairOf({ local: copy }));
  await visit(pairOf({ id: "ponmlkjihgfedcba" }));
  expect(names[1]).toBe(names[0]);
  expect(new Set(names).size).toBe(3);
  expect(names.filter((name) => !/^[0-9a-f]{16}$/.test(name))).toEqual([]);
});

test("one that could not be opened, or failed, is opened anew by the next work with it", async () => {
  const pair = pairOf();
  machine.mend(1);
  expect(await codeOf(visit(pair))).toBe("connection_lost");
  machine.mend();
  await pair.with(async (both) => both.look("all"));
  machine.mend(0);
  expect(await codeOf(pair.with(async (both) => both.look("all")))).toBe("connection_lost");
  machine.mend();
  await visit(pair);
  expect(names).toHaveLength(3);
  expect(machine.messages.filter((message) => message === "open")).toHaveLength(1);
});

async function push(pair: FarPair): Promise<readonly string[]> {
  return pair.with(async (both) => {
    await both.look("all");
    const { local, remote } = both.differing();
    const { done } = await both.apply(planMirror(local, remote), "remote");
    await both.commit();
    return [...done.keys()];
  });
}

test("after another command's work both are looked at anew, and what it did is known", async () => {
  const [pair, other] = [pairOf(), pairOf()];
  expect(await push(pair)).toEqual(["a.txt"]);
  await put(folders.sides.local, { "b.txt": "b\n" });
  expect(await push(other)).toEqual(["b.txt"]);
  await rm(path.join(folders.sides.remote, "b.txt"));
  const compared = await pair.with(async (both) => {
    await both.look("all");
    return both.compare();
  });
  expect(compared).toEqual({ local: [], remote: ["b.txt"], conflicts: [] });
  expect(names).toHaveLength(3);
  await Promise.all([pair.close(), other.close()]);
});

test("a pair that was never opened is closed without a word", async () => {
  await pairOf().close();
  expect(names).toEqual([]);
  expect(machine.messages).toEqual([]);
});
