import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";

import { afterEach, expect, test } from "vitest";

import { type ControlGroups, openControlGroups } from "../../limits/limits.ts";
import { STRANGER, until } from "../test-engine.ts";
import { Yielding } from "./yielding.ts";

const LIMITS = { memoryBytes: 256e6, cpus: 0.5, processes: 64, diskBytes: null };
const ONE = { id: STRANGER, limits: LIMITS };

let groups: ControlGroups | null = null;
let child: ReturnType<typeof spawn> | undefined;

afterEach(async () => {
  child?.kill("SIGKILL");
  if (child?.exitCode === null && child.signalCode === null) await once(child, "exit");
  await groups?.remove(STRANGER);
  await groups?.clear();
});

/** Waits for a line, then takes a processor. */
async function startHog(held: ControlGroups): Promise<void> {
  await held.set(STRANGER, LIMITS);
  const started = spawn("/bin/sh", ["-c", "read line; while :; do :; done"], {
    stdio: ["pipe", "ignore", "ignore"],
  });
  child = started;
  await held.put(STRANGER, started.pid ?? 0);
  started.stdin.end("\n");
}

/** Whether the kernel lets others go before it; undefined: it knows no such groups, or gives us none. */
function findYields(held: ControlGroups | null): (() => boolean) | undefined {
  const files = held?.folders(STRANGER).map((folder) => path.join(folder, "cpu.idle"));
  const file = files?.find(existsSync);
  return file === undefined ? undefined : () => readFileSync(file, "utf8").trim() === "1";
}

test("who takes much of what it may goes behind the others at a glance, and before them again after a calm second", async ({
  skip,
}) => {
  groups = await openControlGroups(`test${randomBytes(4).toString("hex")}`);
  await groups?.set(STRANGER, LIMITS);
  const yields = findYields(groups);
  if (groups === null || yields === undefined) {
    skip("This machine has no groups that others go before.");
    return;
  }
  await startHog(groups);
  const yielding = new Yielding({ groups, log: () => undefined });
  expect(yields()).toBe(false);
  await until(() => {
    yielding.glance([ONE]);
    return yields() || undefined;
  });
  await yielding.settle(ONE, 0.3);
  expect(yields()).toBe(true);
  await yielding.settle(ONE, 0.01);
  expect(yields()).toBe(false);
});

test("who is idle is before the others, also where an earlier server let it go behind them", async ({
  skip,
}) => {
  groups = await openControlGroups(`test${randomBytes(4).toString("hex")}`);
  await groups?.set(STRANGER, LIMITS);
  const yields = findYields(groups);
  if (groups === null || yields === undefined) {
    skip("This machine has no groups that others go before.");
    return;
  }
  await groups.letYield(STRANGER, true);
  const yielding = new Yielding({ groups, log: () => undefined });
  yielding.glance([ONE]);
  yielding.glance([ONE]);
  expect(yields()).toBe(true);
  await yielding.settle(ONE, 0);
  expect(yields()).toBe(false);
});

test("what has ended, or is counted nowhere, is passed over", () => {
  const yielding = new Yielding({ groups, log: () => undefined });
  expect(() => yielding.glance([ONE])).not.toThrow();
  expect(() => new Yielding({ groups: null, log: () => undefined }).glance([ONE])).not.toThrow();
});
