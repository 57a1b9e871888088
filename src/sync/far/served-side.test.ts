import { mkdir, mkdtemp, readdir, realpath, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { codeOf } from "../../../test/sync/other-machine.ts";
import { systemClock } from "../../base/clock.ts";
import { diskFull } from "../../base/disk-full.ts";
import { removeInside } from "../../base/remove-inside.ts";
import { openDisk } from "../disk/real-disk.ts";
import { openServedTree } from "../sync.ts";
import type { ServedTree } from "../sync.ts";
import { packBatch } from "./batch.ts";
import { ServedSide } from "./served-side.ts";

const PAIR = "0123456789abcdef";

let folder: string;
let there: string;
let wire: ServedTree;

beforeEach(async () => {
  folder = await realpath(await mkdtemp(path.join(tmpdir(), "ramet-served-")));
  there = path.join(folder, "there");
  await mkdir(there);
  wire = openServedTree({ remote: there, home: path.join(folder, "store") }, PAIR);
  await wire.open();
});
afterEach(async () => {
  wire.close();
  await removeInside(path.dirname(folder), folder);
});

async function put(root: string, name: string, text: string): Promise<void> {
  await writeFile(path.join(root, name), text);
}

/** Paths that lead out of a tree, into what is no part of it, or to nothing that could be one. */
const ESCAPES = [
  "../outside",
  "../../outside",
  "a/../../outside",
  "a/../b",
  "./a",
  "a/./b",
  "a//b",
  "/outside",
  "//outside",
  "",
  ".",
  "..",
  "a/..",
  ".git/config",
  ".git/hooks/post-checkout",
  "a/.git/config",
  ".ramet/environment.json",
  "a\0b",
  "a\\..\\b",
  "x".repeat(300),
  `${"d/".repeat(100)}x`,
];

test.each(ESCAPES)("nothing is written to %j from afar, whoever asks for it", async (name) => {
  await mkdir(path.join(there, "a"));
  const part = { path: name, offset: 0, size: 0, isEnd: true };
  expect(await codeOf(wire.stage({ parts: [part], packed: "" }))).not.toBe("done");
  const entry = { kind: "link", target: "a" } as const;
  const puts = [{ path: name, entry, expected: undefined }];
  const { done, left } = await wire.apply({ removals: [], puts });
  expect(done).toEqual([]);
  expect(left.map(([at, { code }]) => [at, code])).toEqual([[name, "sync_outside"]]);
  expect((await readdir(folder)).toSorted()).toEqual(["store", "there"]);
});

test.each(["/etc/passwd", "../outside", "a/../../outside", "", "../../../../etc/passwd"])(
  "no link is made that leads to %j",
  async (target) => {
    const puts = [{ path: "l", entry: { kind: "link", target } as const, expected: undefined }];
    const { done, left } = await wire.apply({ removals: [], puts });
    expect(done).toEqual([]);
    expect(left.map(([, { code }]) => code)).toEqual(["sync_outside"]);
  },
);

test("nothing is read that was not told of: not what rules leave out, nor what lies behind a link", async () => {
  await put(there, "open.txt", "open\n");
  await put(there, ".env", "SECRET=1\n");
  await put(folder, "outside.txt", "outside\n");
  await symlink("..", path.join(there, "up"));
  const asked = await wire.look("all");
  expect(asked).toMatchObject({ kind: "ask" });
  await wire.answer([".env"]);
  for (const name of [".env", "up/outside.txt", "../outside.txt", "/etc/passwd", "up"])
    expect(await codeOf(wire.read([{ path: name, offset: 0 }]))).toBe("sync_conflict");
  expect(await wire.read([{ path: "open.txt", offset: 0 }])).toMatchObject({
    parts: [{ path: "open.txt", size: 5, isEnd: true }],
  });
});

test.each([
  { parts: [{ path: "a", offset: 0, size: 5, isEnd: true }], packed: "" },
  { parts: [{ path: "a", offset: 0, size: 5, isEnd: true }], packed: "AAAA" },
  { parts: [{ path: "a", offset: 0, size: 1e12, isEnd: true }], packed: "" },
  { parts: [{ path: "a", offset: 7, size: 0, isEnd: true }], packed: "" },
])("a batch that is not what it says (%j) is refused", async (batch) => {
  expect(await codeOf(wire.stage(batch))).toBe("wire_broken");
  expect(await readdir(there)).toEqual([]);
});

type Room = ConstructorParameters<typeof ServedSide>[0]["room"];
type Staging = {
  readonly side: ServedSide;
  readonly stage: (name: string, offset: number, text: string) => Promise<string>;
};

/** A side with a store of its own, and whoever sends it parts: of a path, from an offset on. */
function openStaging(room: Room): Staging {
  const side = new ServedSide({
    disk: openDisk({ tree: there, store: { base: folder, path: "full" } }),
    clock: systemClock,
    hints: { take: () => null, follow: () => false, leave: () => undefined },
    pair: PAIR,
    store: path.join(folder, "full"),
    room,
  });
  const stage = async (name: string, offset: number, text: string): Promise<string> => {
    const part = { path: name, offset, bytes: Buffer.from(text), isEnd: false };
    return codeOf(side.stage(await packBatch([part])));
  };
  return { side, stage };
}

/** With room for so many bytes. */
function roomOf(most: number): Room {
  let taken = 0;
  return {
    take: async (bytes) => {
      if (taken + bytes > most) throw diskFull(there);
      taken += bytes;
      return Promise.resolve();
    },
    giveBack: (bytes) => void (taken -= bytes),
    clear: () => void (taken = 0),
  };
}

test("what there is no room for is not staged, and what is given up makes room again", async () => {
  const { side, stage } = openStaging(roomOf(4));
  expect(await stage("some", 0, "much")).toBe("done");
  expect(await stage("others", 0, "more")).toBe("disk_full");
  const incoming = path.join(folder, "full", `incoming-${PAIR}`);
  expect(await readdir(incoming)).toHaveLength(1);
  side.close();
  expect(await readdir(incoming)).toEqual([]);
  expect(await stage("others", 0, "more")).toBe("done");
  side.close();
});

test("what is sent anew as a whole, because its parts did not do, needs no more room than it", async () => {
  const { side, stage } = openStaging(roomOf(8));
  expect(await stage("large", 0, "begun")).toBe("done");
  expect(await stage("large", 7, "!")).toBe("wire_broken");
  expect(await stage("large", 0, "the whole")).toBe("disk_full");
  expect(await stage("large", 0, "its half")).toBe("done");
  expect(await stage("small", 0, "!")).toBe("disk_full");
  side.close();
});

test("an answer that nobody asked for is refused", async () => {
  expect(await codeOf(wire.answer(["a"]))).toBe("wire_broken");
});

test("a look that is begun anew while another has asked takes its place", async () => {
  await put(there, "a.txt", "a\n");
  expect(await wire.look("all")).toMatchObject({ kind: "ask" });
  const again = await wire.look("all");
  const ended = again.kind === "ask" ? await wire.answer([]) : again;
  expect(ended).toMatchObject({ kind: "look" });
});
