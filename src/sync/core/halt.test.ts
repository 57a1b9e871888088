import { expect, test } from "vitest";

import { findHalt } from "./halt.ts";
import { planMirror } from "./plan.ts";
import { file } from "./test-trees.ts";
import type { Tree } from "./tree.ts";

function treeOf(count: number): Tree {
  const names = Array.from({ length: count }, (_, index) => `${index}`.padStart(4, "0"));
  return new Map(names.map((name) => [name, file("1")]));
}

test.each([
  ["nothing is removed", 10, 10, undefined],
  ["few of few files are removed", 12, 3, undefined],
  ["a fifth of many is removed", 1000, 800, undefined],
  ["a third of many is removed", 1000, 660, { kind: "removals", count: 340, of: 1000 }],
  ["21 of 22 are removed", 22, 1, { kind: "removals", count: 21, of: 22 }],
  ["the only file is removed", 1, 0, undefined],
  ["both files are removed", 2, 0, { kind: "emptied", count: 2 }],
])("where %s: %i files become %i", (...[, before, after, halt]) => {
  const [to, from] = [treeOf(before), treeOf(after)];
  expect(findHalt(planMirror(from, to), { from, to })).toEqual(halt);
});

test("files that are moved are not gone, however many they are", () => {
  const names = Array.from({ length: 100 }, (_, index) => `${index}`);
  const to = new Map(names.map((name) => [`old/${name}`, file(name)]));
  const from = new Map(names.map((name) => [`new/${name}`, file(name)]));
  expect(findHalt(planMirror(from, to), { from, to })).toBe(undefined);
  const half = new Map([...from].slice(0, 50));
  expect(findHalt(planMirror(half, to), { from: half, to })).toEqual({
    kind: "removals",
    count: 50,
    of: 100,
  });
});
