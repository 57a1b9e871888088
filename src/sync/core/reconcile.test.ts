import fc from "fast-check";
import { expect, test } from "vitest";

import { isSameTree, learnCommon } from "./compare.ts";
import { reconcile } from "./reconcile.ts";
import { anyTree, carryOut, file, isPossible } from "./test-trees.ts";
import { type Entry, isSameEntry, listPaths, type Tree } from "./tree.ts";

/** Of every property; `npm run faults` takes more. */
const RUNS = { numRuns: 20_000 };
const ROUNDS = 3;

test("what is planned can be done, and leaves both sides the same but for the conflicts", () => {
  fc.assert(
    fc.property(anyTree, anyTree, anyTree, (ancestor, local, remote) => {
      const { toLocal, toRemote, conflicts } = reconcile({ ancestor, local, remote });
      const [here, there] = [carryOut(toLocal, local), carryOut(toRemote, remote)];
      expect([isPossible(here), isPossible(there)]).toEqual([true, true]);
      const differing = listPaths(here, there).filter(
        (path) => !isSameEntry(here.get(path), there.get(path)),
      );
      expect(differing).toEqual(conflicts);
    }),
    RUNS,
  );
});

test("a conflict changes neither side", () => {
  fc.assert(
    fc.property(anyTree, anyTree, anyTree, (ancestor, local, remote) => {
      const { toLocal, toRemote, conflicts } = reconcile({ ancestor, local, remote });
      const touched = [toLocal, toRemote].flatMap(({ removals, puts }) =>
        [...removals, ...puts].map(({ path }) => path),
      );
      expect(touched.filter((path) => conflicts.includes(path))).toEqual([]);
    }),
    RUNS,
  );
});

test("a change that one side alone made is never undone, and nothing goes that nobody removed", () => {
  fc.assert(
    fc.property(anyTree, anyTree, anyTree, (ancestor, local, remote) => {
      const plan = reconcile({ ancestor, local, remote });
      for (const { path, expected } of [...plan.toLocal.removals, ...plan.toLocal.puts]) {
        const isTheirs = isSameEntry(expected, ancestor.get(path));
        expect(isTheirs || isOnlyMode(expected, plan.toLocal.puts, path)).toBe(true);
      }
      for (const { path } of plan.toRemote.removals) expect(ancestor.has(path)).toBe(true);
    }),
    RUNS,
  );
});

test.each(["local", "remote"] as const)(
  "where %s is preferred both sides come out the same, and conflicts as they are there",
  (prefer) => {
    fc.assert(
      fc.property(anyTree, anyTree, anyTree, (ancestor, local, remote) => {
        const { conflicts } = reconcile({ ancestor, local, remote });
        const plan = reconcile({ ancestor, local, remote }, prefer);
        const [here, there] = [carryOut(plan.toLocal, local), carryOut(plan.toRemote, remote)];
        expect(isSameTree(here, there)).toBe(true);
        expect(isPossible(here)).toBe(true);
        const preferred = prefer === "local" ? local : remote;
        for (const path of conflicts) expect(here.get(path)).toEqual(preferred.get(path));
      }),
      RUNS,
    );
  },
);

test("without an ancestor nothing is removed, on either side", () => {
  fc.assert(
    fc.property(anyTree, anyTree, (local, remote) => {
      const { toLocal, toRemote } = reconcile({ ancestor: new Map(), local, remote });
      expect([...toLocal.removals, ...toRemote.removals]).toEqual([]);
    }),
    RUNS,
  );
});

test("with the sides swapped the plan is mirrored", () => {
  fc.assert(
    fc.property(anyTree, anyTree, anyTree, (ancestor, local, remote) => {
      const straight = reconcile({ ancestor, local, remote });
      const swapped = reconcile({ ancestor, local: remote, remote: local });
      expect(swapped).toEqual({
        ...straight,
        toLocal: straight.toRemote,
        toRemote: straight.toLocal,
      });
    }),
    RUNS,
  );
});

test("it comes to rest: what was made the same is left alone from then on", () => {
  fc.assert(
    fc.property(anyTree, anyTree, anyTree, (ancestor, local, remote) => {
      let [before, here, there] = [ancestor, local, remote];
      for (let round = 0; round < ROUNDS; round += 1) {
        const plan = reconcile({ ancestor: before, local: here, remote: there });
        [here, there] = [carryOut(plan.toLocal, here), carryOut(plan.toRemote, there)];
        before = learnCommon(before, here, there);
      }
      const { toLocal, toRemote } = reconcile({ ancestor: before, local: here, remote: there });
      expect([toLocal, toRemote].flatMap(({ removals, puts }) => [...removals, ...puts])).toEqual(
        [],
      );
    }),
    RUNS,
  );
});

const plain = { a: file("1") };
const run = { a: executable("1") };

test.each([
  ["changed here", plain, { a: file("2") }, plain, { a: file("2") }],
  ["changed there", plain, plain, { a: file("2") }, { a: file("2") }],
  ["removed here", plain, {}, plain, {}],
  ["removed here, changed there", plain, {}, { a: file("2") }, { a: file("2") }],
  ["changed here, removed there", plain, { a: file("2") }, {}, { a: file("2") }],
  ["made executable here, changed there", plain, run, { a: file("2") }, { a: executable("2") }],
  [
    "changed alike, made executable there",
    plain,
    { a: file("2") },
    { a: executable("2") },
    { a: executable("2") },
  ],
])("a file %s comes out the same on both sides", (...[, before, here, there, outcome]) => {
  const [ancestor, local, remote] = [treeOf(before), treeOf(here), treeOf(there)];
  const { toLocal, toRemote, conflicts } = reconcile({ ancestor, local, remote });
  expect(conflicts).toEqual([]);
  expect(carryOut(toLocal, local)).toEqual(treeOf(outcome));
  expect(carryOut(toRemote, remote)).toEqual(treeOf(outcome));
});

test.each([
  ["both changed, differently", plain, { a: file("2") }, { a: file("3") }, ["a"]],
  ["both made, differently", {}, { a: file("2") }, { a: file("3") }, ["a"]],
  ["a file here and a folder there", {}, { a: file("2") }, { "a/b": file("3") }, ["a", "a/b"]],
  [
    "a folder removed for a file here, changed there",
    { "a/b": file("1") },
    plain,
    { "a/b": file("3") },
    ["a", "a/b"],
  ],
])("%s is a conflict, and others go on", (...[, ancestor, local, remote, conflicts]) => {
  const other = { z: file("9") };
  const plan = reconcile({
    ancestor: treeOf(ancestor),
    local: treeOf({ ...local, ...other }),
    remote: treeOf(remote),
  });
  expect(plan.conflicts).toEqual(conflicts);
  expect(plan.toRemote.puts.map(({ path }) => path)).toEqual(["z"]);
});

test("what came back because the other side had changed it is told", () => {
  expect(
    reconcile({ ancestor: treeOf(plain), local: new Map(), remote: treeOf({ a: file("2") }) })
      .revived,
  ).toEqual(["a"]);
});

function executable(hash: string): Entry {
  return { kind: "file", hash, executable: true };
}

function treeOf(entries: Readonly<Record<string, Entry>>): Tree {
  return new Map(Object.entries(entries));
}

/** The bytes are those that stand there, or the executable bit is: the other half is the other side's change. */
function isOnlyMode(
  expected: Entry | undefined,
  puts: readonly { readonly path: string; readonly entry: Entry }[],
  path: string,
): boolean {
  const put = puts.find((one) => one.path === path)?.entry;
  if (expected === undefined) return put !== undefined;
  if (expected.kind !== "file" || put?.kind !== "file") return false;
  return expected.hash === put.hash || expected.executable === put.executable;
}
