import { spawn } from "node:child_process";
import { once } from "node:events";
import os from "node:os";

import { afterEach, expect, test } from "vitest";

import { listPids, readProc } from "./process-table.ts";
import { yieldProcessor } from "./yielding.ts";

const children: ReturnType<typeof spawn>[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill("SIGKILL");
    await once(child, "exit");
  }
});

async function start(): Promise<number> {
  const child = spawn("sleep", ["1000"], { stdio: "ignore", detached: true });
  await once(child, "spawn");
  children.push(child);
  return child.pid ?? 0;
}

test("these yield to all others, and who is not named does not", async () => {
  const [one, other] = [await start(), await start()];
  yieldProcessor([one]);
  expect(os.getPriority(one)).toBe(19);
  expect(os.getPriority(other)).toBeLessThan(19);
  yieldProcessor([one]);
  expect(os.getPriority(one)).toBe(19);
});

test("a session that the kernel weighs as a whole yields as one, and another does not", async () => {
  const [one, other] = [await start(), await start()];
  const before = readProc(`/proc/${other}/autogroup`);
  yieldProcessor([one]);
  // Without such weighing there is nothing to say of either.
  expect(readProc(`/proc/${one}/autogroup`).trim()).toMatch(before === "" ? /^$/ : / nice 19$/);
  expect(readProc(`/proc/${other}/autogroup`)).toBe(before);
});

test("who has gone is left", async () => {
  const pid = await start();
  const [child] = children;
  child?.kill("SIGKILL");
  if (child !== undefined) await once(child, "exit");
  expect(listPids()).not.toContain(pid);
  expect(() => yieldProcessor([pid])).not.toThrow();
});
