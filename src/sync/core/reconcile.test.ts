import { expect, test } from "vitest";

import { findFailure, PLANNER_PROPERTIES } from "../../../test/sync/planner-properties.ts";
import { reconcile } from "./reconcile.ts";
import { carryOut, file } from "./test-trees.ts";
import type { Entry, Tree } from "./tree.ts";

/** Of every property; `npm run faults -- sync-properties` takes a million. */
const RUNS = 20_000;

test.each(PLANNER_PROPERTIES.map((property) => [property.title, property] as const))(
  "%s",
  (_, property) => expect(findFailure(property, { numRuns: RUNS })).toBeUndefined(),
);

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
