import { beforeEach, expect, test } from "vitest";

import { MemoryDisk } from "../../../test/sync/memory-disk.ts";
import type { Entry } from "../core/tree.ts";
import { inStore } from "../disk/disk.ts";
import { Ancestor } from "./ancestor.ts";

const ONE: Entry = { kind: "file", hash: "1", executable: false };
const TWO: Entry = { kind: "file", hash: "2", executable: false };

let disk: MemoryDisk;
let nowMs = 0;

beforeEach(() => {
  nowMs = 1_000_000;
  disk = new MemoryDisk({
    onCall: () => undefined,
    onEvent: () => undefined,
    now: () => nowMs,
    exchanges: "yes",
  });
});

function open({ epoch = "1", boot = "1" } = {}): Ancestor {
  return new Ancestor({ disk, folder: "ancestors", epoch, boot, clock: { now: () => nowMs } });
}

function readBack(
  options: { epoch?: string; boot?: string } = {},
): Readonly<Record<string, Entry>> {
  return Object.fromEntries(open(options).entries);
}

/** A snapshot with `a`, a journal with `b`, and `a` gone again. */
function fill(): void {
  const ancestor = open();
  ancestor.set("a", ONE);
  ancestor.save();
  ancestor.set("b", TWO);
  ancestor.save();
  ancestor.set("a", undefined);
  ancestor.save();
}

test("what was saved is there again, and what was not is not", () => {
  fill();
  const ancestor = open();
  ancestor.set("c", ONE);
  expect(readBack()).toEqual({ b: TWO });
  ancestor.save();
  expect(readBack()).toEqual({ b: TWO, c: ONE });
});

test("of other folders it knows nothing, and forgets the former ones once something is noted", () => {
  fill();
  expect(readBack({ epoch: "2" })).toEqual({});
  const other = open({ epoch: "2" });
  other.set("x", ONE);
  other.save();
  expect(readBack({ epoch: "2" })).toEqual({ x: ONE });
  expect(readBack()).toEqual({});
});

test("after a power cut what was noted last is forgotten, and what is noted from then on is not", () => {
  fill();
  expect(readBack({ boot: "2" })).toEqual({});
  const after = open({ boot: "2" });
  after.set("c", TWO);
  after.save();
  expect(readBack({ boot: "2" })).toEqual({ c: TWO });
});

test("after a power cut what was noted long before is still known", () => {
  fill();
  nowMs += 120_000;
  const ancestor = open();
  // Enough to begin a new snapshot.
  for (let count = 0; count < 20_001; count += 1) ancestor.set(`many/${count}`, ONE);
  ancestor.save();
  nowMs += 120_000;
  ancestor.set("late", ONE);
  ancestor.save();
  const known = open({ boot: "2" }).entries;
  expect([known.get("b"), known.get("late")]).toEqual([TWO, undefined]);
});

test.each(["snapshot", "journal"])(
  "wherever the %s is torn, nothing is known that was not so",
  (name) => {
    fill();
    const file = disk.find(inStore(`ancestors/${name}`));
    const text = file?.text ?? "";
    expect(text.length).toBeGreaterThan(40);
    const possible = [{}, { a: ONE }, { a: ONE, b: TWO }, { b: TWO }];
    for (let length = 0; length < text.length; length += 1) {
      if (file !== undefined) file.text = text.slice(0, length);
      expect(possible).toContainEqual(readBack());
    }
  },
);

test("a torn journal is put aside before anything is added to it", () => {
  fill();
  const file = disk.find(inStore("ancestors/journal"));
  if (file !== undefined) file.text = file.text.slice(0, -3);
  const ancestor = open();
  ancestor.set("c", ONE);
  ancestor.save();
  expect(readBack()).toEqual(Object.fromEntries(ancestor.entries));
});
