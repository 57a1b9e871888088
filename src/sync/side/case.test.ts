import { beforeEach, expect, test } from "vitest";

import { MemoryDisk } from "../../../test/sync/memory-disk.ts";
import { inStore, inTree } from "../disk/disk.ts";
import { Ancestor } from "../pair/ancestor.ts";
import { mergePair, type Merged } from "../pair/merge.ts";
import { Pair } from "../pair/pair.ts";
import { TreeSide } from "./tree-side.ts";

/** The environment's disk tells names of both cases apart, the workspace's does not. */
type Name = "local" | "remote";

let nowMs = 0;
let disks: Readonly<Record<Name, MemoryDisk>>;
let pair: Pair;

beforeEach(async () => {
  nowMs = 0;
  disks = { local: makeDisk(true), remote: makeDisk(false) };
  const clock = { now: () => nowMs };
  const disk = disks.remote;
  pair = await Pair.open({
    local: openSide("local"),
    remote: openSide("remote"),
    ancestor: new Ancestor({ disk, folder: "ancestors", epoch: "1", boot: "1", clock }),
    rules: {
      stamp: () => "",
      list: async () => ({ findIgnored: findNone, identify: () => "" }),
      findIgnored: findNone,
      findLeftOut: findNone,
    },
  });
});

function makeDisk(folds: boolean): MemoryDisk {
  return new MemoryDisk({
    onCall: () => undefined,
    onEvent: () => undefined,
    now: () => (nowMs += 5_000),
    exchanges: "yes",
    folds,
  });
}

async function findNone(): Promise<ReadonlySet<string>> {
  return new Set();
}

function openSide(name: Name): TreeSide {
  return new TreeSide({
    disk: disks[name],
    clock: { now: () => nowMs },
    hints: { take: () => null, follow: () => false, leave: () => undefined },
    pair: "pair",
    store: "/store",
  });
}

function put(name: Name, path: string, text: string): void {
  const inode = disks[name].make("file");
  disks[name].put(inTree(path), inode);
  disks[name].change(inode, text);
}

function rename(name: Name, from: string, to: string): void {
  const inode = disks[name].find(inTree(from));
  disks[name].put(inTree(from), undefined);
  disks[name].put(inTree(to), inode);
}

async function merge(): Promise<Merged | undefined> {
  const options = { scope: "all", prefer: null, mayRemoveMany: false } as const;
  return mergePair(pair, { ...options, isAtRest: () => true });
}

/** Until nothing moves any more: names as they are written, and what they hold. */
async function untilRest(): Promise<Readonly<Record<Name, Readonly<Record<string, string>>>>> {
  for (let count = 0; count < 6; count += 1) {
    const merged = await merge();
    if (merged?.toLocal.length === 0 && merged.toRemote.length === 0) break;
  }
  return { local: list("local"), remote: list("remote") };
}

function list(name: Name): Readonly<Record<string, string>> {
  const listed = disks[name].list(inTree("")) ?? [];
  const pairs = listed.map(
    ({ name: one }) => [one, disks[name].find(inTree(one))?.text ?? ""] as const,
  );
  return Object.fromEntries(pairs);
}

test.each(["local", "remote"] as const)(
  "a name that changes its case alone on the %s side has that case on the other, though a disk takes both for one",
  async (side) => {
    put("remote", "Readme.md", "1");
    put("remote", "other", "1");
    await untilRest();
    rename(side, "Readme.md", "README.md");
    const files = { "README.md": "1", other: "1" };
    expect(await untilRest()).toEqual({ local: files, remote: files });
  },
);

test("a case that changes with the text is the same on both sides, and what stood there is kept", async () => {
  put("remote", "Readme.md", "1");
  await untilRest();
  rename("remote", "Readme.md", "README.md");
  put("remote", "README.md", "2");
  const files = { "README.md": "2" };
  expect(await untilRest()).toEqual({ local: files, remote: files });
  const [time] = disks.local.list(inStore("trash")) ?? [];
  expect(disks.local.find(inStore(`trash/${time?.name}/Readme.md`))?.text).toBe("1");
});

test("of two names that a disk takes for one the second is left and named, and neither is overwritten", async () => {
  put("remote", "a", "lower");
  await untilRest();
  put("remote", "A", "upper");
  const merged = await merge();
  expect([...(merged?.left.keys() ?? [])]).toEqual(["A"]);
  expect(await untilRest()).toEqual({
    local: { a: "lower" },
    remote: { A: "upper", a: "lower" },
  });
  put("local", "a", "lower, edited");
  expect(await untilRest()).toMatchObject({ remote: { A: "upper", a: "lower, edited" } });
  disks.remote.put(inTree("a"), undefined);
  expect(await untilRest()).toEqual({ local: { A: "upper" }, remote: { A: "upper" } });
});
