import { expect, test } from "vitest";

import { afterEnd, afterFailure, afterStart, describeRecovery, isDue, WELL } from "./recovery.ts";
import type { Recovery } from "./recovery.ts";

const LOG = "/logs/postgres.log";

function codeOf(recovery: Recovery, nowMs: number): string | undefined {
  return describeRecovery(recovery, { log: LOG, nowMs })?.code;
}

/** The pauses between tries of one that never starts. */
function listPauses(): number[] {
  const pauses: number[] = [];
  let nowMs = 1000;
  let recovery = afterFailure(afterEnd(WELL, nowMs), "no", nowMs);
  while (recovery.kind === "restarting") {
    pauses.push(recovery.retryAtMs - nowMs);
    nowMs = recovery.retryAtMs;
    expect(isDue(recovery, nowMs - 1)).toBe(false);
    expect(isDue(recovery, nowMs)).toBe(true);
    recovery = afterFailure(recovery, "no", nowMs);
  }
  expect(recovery).toEqual({ kind: "down", reason: "no", failedAtMs: nowMs });
  return pauses;
}

test("one that ended is started again at once, and is well after a minute", () => {
  const ended = afterEnd(WELL, 5000);
  expect(isDue(ended, 5000)).toBe(true);
  expect(codeOf(ended, 5000)).toBe("database_restarting");
  const started = afterStart(ended, 5100);
  expect(isDue(started, 5100)).toBe(false);
  expect(codeOf(started, 5100)).toBe("database_restarted");
  expect(codeOf(started, 65_100)).toBeUndefined();
  expect(afterEnd(started, 65_100)).toEqual(afterEnd(WELL, 65_100));
});

test("one that does not start is tried later and later, and then not any more", () => {
  expect(listPauses()).toEqual([1000, 2000, 4000, 8000, 16_000]);
});

test("one that ends soon after each start is given up like one that does not start", () => {
  let recovery = afterEnd(WELL, 0);
  let starts = 0;
  for (let nowMs = 0; recovery.kind === "restarting"; nowMs += 500) {
    if (!isDue(recovery, nowMs)) continue;
    starts += 1;
    recovery = afterEnd(afterStart(recovery, nowMs), nowMs + 100);
  }
  expect(starts).toBe(6);
  expect(recovery).toMatchObject({ kind: "down", reason: "it ended again soon after its start" });
});

test("one that was given up stays so until somebody starts it", () => {
  const down: Recovery = { kind: "down", reason: "no", failedAtMs: 0 };
  expect(isDue(down, 1e12)).toBe(false);
  expect(afterFailure(down, "still", 7)).toEqual({ kind: "down", reason: "still", failedAtMs: 7 });
  expect(codeOf(down, 1e12)).toBe("database_down");
  expect(codeOf(afterStart(down, 1000), 61_000)).toBeUndefined();
});

test("a first start that fails is no recovery's business", () => {
  expect(afterStart(WELL, 1)).toBe(WELL);
  expect(codeOf(WELL, 1)).toBeUndefined();
});
