import { expect, test } from "vitest";

import { NO_LIMITS } from "../environment/manifest.ts";
import { type Use, CONTROLLERS, describe, isToYield, judge, settle } from "./judge.ts";
import { diskShort, limitExceeded } from "./problems.ts";

const MACHINE = { memoryBytes: 16e9, processors: 8 };
const LIMITS = { memoryBytes: 1e9, cpus: 2, processes: 100, diskBytes: 5e9 };
const NODE = { name: "node", pid: 77, amount: 900e6 };
const CALM: Use = {
  memoryBytes: 1e9,
  tasks: 100,
  diskBytes: 5e9,
  kills: 0,
  refusals: 0,
  held: new Set(),
  largest: NODE,
  largestGone: undefined,
  busiest: { name: "sh", pid: 78, amount: 60 },
};
const BY_GROUPS: Use = { ...CALM, held: new Set(CONTROLLERS) };

test("what is asked for holds, and for the rest what no usual app comes near", () => {
  expect(settle(NO_LIMITS, MACHINE)).toEqual({
    memoryBytes: 8e9,
    cpus: 8,
    processes: 4096,
    diskBytes: null,
  });
  const asked = { memoryBytes: 2e9, cpus: 0.5, processes: 64, diskBytes: 1e9 };
  expect(settle(asked, MACHINE)).toEqual(asked);
  expect(settle({ ...NO_LIMITS, cpus: 100 }, MACHINE).cpus).toBe(8);
});

test.each<[string, Partial<Use>, string]>([
  [
    "memory",
    { memoryBytes: 1.2e9 },
    "it took 1.2 GB, more than 1.0 GB of memory, its limit; node (pid 77) had 900 MB.",
  ],
  [
    "processes",
    { tasks: 101 },
    "it had 101, more than 100 processes and threads, its limit; sh (pid 78) had 60 of them.",
  ],
  ["disk", { diskBytes: 5.1e9 }, "its files take up 5.1 GB, more than 5.0 GB, its limit."],
])("what goes over its %s is named with who did it", (limit, use, message) => {
  const excess = judge(LIMITS, { ...CALM, ...use });
  if (excess === undefined) throw new Error("Nothing was found.");
  expect(excess.limit).toBe(limit);
  const problem = limitExceeded("shop/agent", excess);
  expect(problem.code).toBe("limit_exceeded");
  expect(problem.message).toBe(`shop/agent was ended: ${message}`);
  expect(problem.remedy).toContain(`"limits": {"${limit}"`);
  expect(problem.remedy).toContain("ramet env start");
});

test("what stays at its limits is left alone", () => {
  expect(judge(LIMITS, CALM)).toBeUndefined();
  expect(judge({ ...LIMITS, diskBytes: null }, { ...CALM, diskBytes: 9e12 })).toBeUndefined();
  expect(judge(LIMITS, { ...CALM, diskBytes: null })).toBeUndefined();
});

test("what its control group holds is judged by what the kernel kept from it, not by a look", () => {
  expect(judge(LIMITS, { ...BY_GROUPS, memoryBytes: 3e9, tasks: 900 })).toBeUndefined();
  expect(judge(LIMITS, { ...BY_GROUPS, kills: 1 })).toMatchObject({ limit: "memory", seen: null });
  expect(judge(LIMITS, { ...BY_GROUPS, refusals: 3 })).toMatchObject({ limit: "processes" });
});

function tellOfKill(largestGone: Use["largestGone"]): string | undefined {
  const excess = judge(LIMITS, { ...BY_GROUPS, kills: 1, largestGone });
  return excess && limitExceeded("a/b", excess).message;
}

test("whom the kernel has ended for want of memory is named, and no bystander", () => {
  const wanted = "a/b was ended: it wanted more than 1.0 GB of memory, its limit";
  expect(tellOfKill(undefined)).toBe(`${wanted}.`);
  expect(tellOfKill({ name: "hog", pid: 5, amount: 800e6 })).toBe(
    `${wanted}; the kernel ended hog (pid 5).`,
  );
});

test.each([
  [0.9, false, false],
  [1, false, true],
  [2, false, true],
  [0.6, true, true],
  [0.4, true, false],
])("who takes %d of 2 processors and yields: %s, yields then: %s", (taken, before, after) => {
  expect(isToYield({ ...LIMITS, cpus: 2 }, taken, before)).toBe(after);
});

test("what fills the disk is told with how much it wrote and how little is left", () => {
  const { code, message } = diskShort("a/b", { freeBytes: 3e8, writtenBytes: 4e9 });
  expect(code).toBe("disk_short");
  expect(message).toContain("only 300 MB of the disk are left, and it has written 4.0 GB");
});

test.each([
  [
    { kind: "v1", controllers: new Set(CONTROLLERS) } as const,
    "memory, processors and processes by control groups (v1); disk by a look every second",
  ],
  [
    { kind: "v2", controllers: new Set(["memory", "pids"] as const) } as const,
    "memory and processes by control groups (v2); processors by priority alone; disk by a look every second",
  ],
  [null, "processors by priority alone; memory, processes and disk by a look every second"],
])("%# it is said what holds which limit", (holding, text) => {
  expect(describe(holding)).toBe(text);
});
