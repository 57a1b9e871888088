import fc from "fast-check";
import { expect, test } from "vitest";

import { compareTrees, isSameTree, learnCommon } from "./compare.ts";
import { planMirror } from "./plan.ts";
import { anyTree, file } from "./test-trees.ts";
import { isSameEntry, listPaths, type Tree } from "./tree.ts";

function treeOf(files: { a?: string }): Tree {
  return new Map(Object.entries(files).map(([path, hash]) => [path, file(hash)]));
}

test("sides that are equal need no work, whatever the ancestor was", () => {
  fc.assert(
    fc.property(anyTree, anyTree, (ancestor, side) => {
      expect(compareTrees(ancestor, side, new Map(side))).toEqual({
        local: [],
        remote: [],
        conflicts: [],
      });
      expect(planMirror(side, new Map(side))).toEqual({ removals: [], puts: [] });
    }),
  );
});

test("every path that differs is in exactly one list, and no other is", () => {
  fc.assert(
    fc.property(anyTree, anyTree, anyTree, (ancestor, local, remote) => {
      const { local: here, remote: there, conflicts } = compareTrees(ancestor, local, remote);
      const differing = listPaths(local, remote).filter(
        (path) => !isSameEntry(local.get(path), remote.get(path)),
      );
      expect([...here, ...there, ...conflicts].toSorted()).toEqual(differing);
    }),
  );
});

test("with the sides swapped the answer is mirrored", () => {
  fc.assert(
    fc.property(anyTree, anyTree, anyTree, (ancestor, local, remote) => {
      const straight = compareTrees(ancestor, local, remote);
      const swapped = compareTrees(ancestor, remote, local);
      expect(swapped).toEqual({
        local: straight.remote,
        remote: straight.local,
        conflicts: straight.conflicts,
      });
    }),
  );
});

test("what one side alone changed since the ancestor is that side's", () => {
  fc.assert(
    fc.property(anyTree, anyTree, (ancestor, local) => {
      const { remote, conflicts } = compareTrees(ancestor, local, ancestor);
      expect([...remote, ...conflicts]).toEqual([]);
    }),
  );
});

test("what is learnt changes no answer of now, and holds all that is alike", () => {
  fc.assert(
    fc.property(anyTree, anyTree, anyTree, (ancestor, local, remote) => {
      const learnt = learnCommon(ancestor, local, remote);
      expect(compareTrees(learnt, local, remote)).toEqual(compareTrees(ancestor, local, remote));
      const alike = [...local].filter(([path, one]) => isSameEntry(one, remote.get(path)));
      expect(alike.map(([path]) => [path, learnt.get(path)])).toEqual(alike);
      expect(isSameTree(learnCommon(learnt, local, remote), learnt)).toBe(true);
      expect(isSameTree(learnCommon(ancestor, local, local), local)).toBe(true);
    }),
  );
});

test("trees are the same when they hold the same, and else are not", () => {
  fc.assert(
    fc.property(anyTree, anyTree, (a, b) => {
      expect(isSameTree(a, b)).toBe(
        listPaths(a, b).every((path) => isSameEntry(a.get(path), b.get(path))),
      );
    }),
  );
});

test("a plan removes and puts exactly what makes one side equal to the other", () => {
  fc.assert(
    fc.property(anyTree, anyTree, (from, to) => {
      const plan = planMirror(from, to);
      const made = new Map(to);
      for (const { path, expected } of plan.removals) {
        expect(made.get(path)).toEqual(expected);
        made.delete(path);
      }
      for (const { path, entry: one, expected } of plan.puts) {
        expect(made.get(path)).toEqual(expected);
        made.set(path, one);
      }
      expect(new Map(made)).toEqual(new Map(from));
    }),
  );
});

test.each([
  ["changed here", { a: "1" }, { a: "2" }, { a: "1" }, "local"],
  ["changed there", { a: "1" }, { a: "1" }, { a: "2" }, "remote"],
  ["new here", {}, { a: "1" }, {}, "local"],
  ["deleted here", { a: "1" }, {}, { a: "1" }, "local"],
  ["deleted there", { a: "1" }, { a: "1" }, {}, "remote"],
  ["changed on both", { a: "1" }, { a: "2" }, { a: "3" }, "conflicts"],
  ["changed alike", { a: "1" }, { a: "2" }, { a: "2" }, "none"],
  ["deleted on both", { a: "1" }, {}, {}, "none"],
  ["deleted here, changed there", { a: "1" }, {}, { a: "2" }, "conflicts"],
  ["new on both, differently", {}, { a: "1" }, { a: "2" }, "conflicts"],
])("a path that was %s", (...[, ancestor, local, remote, list]) => {
  const answer = compareTrees(treeOf(ancestor), treeOf(local), treeOf(remote));
  const expected = {
    local: [],
    remote: [],
    conflicts: [],
    ...(list === "none" ? {} : { [list]: ["a"] }),
  };
  expect(answer).toEqual(expected);
});

test("a file where the other side made a folder is a conflict of both paths", () => {
  const local = new Map([["a", file("1")]]);
  const remote = new Map([["a/b/c", file("2")]]);
  expect(compareTrees(new Map(), local, remote).conflicts).toEqual(["a", "a/b/c"]);
  expect(compareTrees(local, local, remote)).toEqual({
    local: [],
    remote: ["a", "a/b/c"],
    conflicts: [],
  });
});

test("an empty folder that a file, kept by a conflict, is in the way of is one too, and is not tried again and again", () => {
  const ancestor = new Map([
    ["d", file("1")],
    ["d/a", file("2")],
  ]);
  const local: Tree = new Map([
    ["d/a", file("3")],
    ["d/e/", { kind: "folder" }],
  ]);
  const remote = new Map([["d", file("1")]]);
  expect(compareTrees(ancestor, local, remote)).toEqual({
    local: [],
    remote: [],
    conflicts: ["d", "d/a", "d/e/"],
  });
});
