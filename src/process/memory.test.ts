import { expect, test } from "vitest";

import { measureMemory } from "./process.ts";

test("a process takes memory, and two processes more than one of them", async () => {
  const own = await measureMemory([process.pid]);
  const both = await measureMemory([process.pid, process.ppid]);
  expect(own).toBeGreaterThan(1_000_000);
  expect(both).toBeGreaterThanOrEqual(own / 2);
});

test("nobody takes no memory, and neither does a process that has gone", async () => {
  expect(await measureMemory([])).toBe(0);
  expect(await measureMemory([2_147_483_646])).toBe(0);
});
