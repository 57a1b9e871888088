import fc from "fast-check";
import { expect, test } from "vitest";

import type { ProcessUse } from "../../process/process.ts";
import {
  findLargest,
  findMostNumerous,
  groupByEnvironment,
  ofRuntime,
  sum,
  sumRises,
} from "./use-summary.ts";

let nextPid = 100;

function use(change: Partial<ProcessUse> = {}): ProcessUse {
  nextPid += 1;
  const pid = change.pid ?? nextPid;
  return {
    pid,
    id: `${pid} 7`,
    name: "node",
    mark: "home.abc.runtime",
    tasks: 1,
    memoryBytes: 0,
    cpuMs: 0,
    writtenBytes: 0,
    ...change,
  };
}

test("what is taken is told by environment, and its limits are not for its database", () => {
  const keeper = use({ mark: "home.abc.runtime.keeper" });
  const web = use();
  const database = use({ mark: "home.abc.database" });
  const other = use({ mark: "home.def.runtime" });
  const groups = groupByEnvironment([keeper, web, database, other]);
  expect([...groups.keys()]).toEqual(["abc", "def"]);
  expect(groups.get("abc")).toEqual([keeper, web, database]);
  expect(ofRuntime([keeper, web, database])).toEqual([keeper, web]);
});

test("a counter's rise is counted for each process: what is new by all it says, what has gone by nothing", () => {
  const before = [use({ pid: 1, cpuMs: 100 }), use({ pid: 2, cpuMs: 50 })];
  const after = [use({ pid: 1, cpuMs: 130 }), use({ pid: 3, cpuMs: 40 })];
  expect(sumRises(before, after, "cpuMs")).toBe(70);
  expect(sumRises([], after, "cpuMs")).toBe(170);
  expect(sumRises(before, [], "cpuMs")).toBe(0);
});

test("a pid that was given again is another process", () => {
  const before = [use({ pid: 1, id: "1 1000", writtenBytes: 500 })];
  const after = [use({ pid: 1, id: "1 2000", writtenBytes: 30 })];
  expect(sumRises(before, after, "writtenBytes")).toBe(30);
});

test("what was counted can be taken back, as of a file that is deleted before it is on the disk; no rise is less than none", () => {
  const before = [use({ pid: 1, writtenBytes: 500 })];
  expect(sumRises(before, [use({ pid: 1, writtenBytes: 100 })], "writtenBytes")).toBe(0);
});

test("no rise is below zero, and none above what all have", () => {
  const amounts = fc.array(fc.record({ pid: fc.nat(20), cpuMs: fc.nat(1000) }), { maxLength: 20 });
  fc.assert(
    fc.property(amounts, amounts, (one, other) => {
      const [before, after] = [one, other].map((all) => all.map((each) => use(each)));
      const rise = sumRises(before ?? [], after ?? [], "cpuMs");
      expect(rise).toBeGreaterThanOrEqual(0);
      expect(rise).toBeLessThanOrEqual(sum(other.map(({ cpuMs }) => cpuMs)));
    }),
  );
});

test("who has most is named: of memory the process, of processes the program", () => {
  const [small, large] = [use({ memoryBytes: 5 }), use({ memoryBytes: 9, name: "tsserver" })];
  expect(findLargest([small, large])).toEqual({ name: "tsserver", pid: large.pid, amount: 9 });
  const shells = [use({ name: "sh" }), use({ name: "sh", tasks: 2 })];
  expect(findMostNumerous([use({ tasks: 2 }), ...shells])).toEqual({
    name: "sh",
    pid: shells[0]?.pid,
    amount: 3,
  });
  expect([findLargest([]), findMostNumerous([])]).toEqual([undefined, undefined]);
});
