import type { ProblemFields } from "../../base/problem.ts";
import { databaseDown, databaseRestarted, databaseRestarting } from "../home/problems.ts";

/** How a database is that may end by itself. Times are milliseconds since 1970. */
export type Recovery =
  | { readonly kind: "well" }
  | {
      readonly kind: "restarting";
      readonly failures: number;
      readonly retryAtMs: number;
      /** Why it did not start the last time; null: it was not tried yet. */
      readonly reason: string | null;
    }
  | { readonly kind: "restarted"; readonly failures: number; readonly atMs: number }
  /** It is not tried any more until somebody asks for it. */
  | { readonly kind: "down"; readonly reason: string; readonly failedAtMs: number };

export const WELL: Recovery = { kind: "well" };

const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 30_000;
const MAX_FAILURES = 6;
/** Having run for so long, it is well again. */
const GOOD_LIFE_MS = 60_000;

/** It ended, and nobody asked it to. The first time it is started again at once. */
export function afterEnd(before: Recovery, nowMs: number): Recovery {
  const isFirst = before.kind !== "restarted" || nowMs - before.atMs >= GOOD_LIFE_MS;
  if (isFirst) return { kind: "restarting", failures: 0, retryAtMs: nowMs, reason: null };
  return countFailure(before.failures, "it ended again soon after its start", nowMs);
}

/** It did not start. */
export function afterFailure(before: Recovery, reason: string, nowMs: number): Recovery {
  const failures = before.kind === "restarting" ? before.failures : 0;
  return before.kind === "down"
    ? { ...before, reason, failedAtMs: nowMs }
    : countFailure(failures, reason, nowMs);
}

export function afterStart(before: Recovery, nowMs: number): Recovery {
  if (before.kind === "well") return before;
  const failures = before.kind === "down" ? 0 : before.failures;
  return { kind: "restarted", failures, atMs: nowMs };
}

/** Whether it is to be started now, by itself. */
export function isDue(recovery: Recovery, nowMs: number): boolean {
  return recovery.kind === "restarting" && nowMs >= recovery.retryAtMs;
}

/** What a person should know of it. */
export function describeRecovery(
  recovery: Recovery,
  { log, nowMs }: { readonly log: string; readonly nowMs: number },
): ProblemFields | null {
  if (recovery.kind === "well") return null;
  if (recovery.kind === "down") return databaseDown(recovery.reason, log).toFields();
  if (recovery.kind === "restarting") {
    const inMs = Math.max(0, recovery.retryAtMs - nowMs);
    return databaseRestarting(recovery.reason, { inMs, log }).toFields();
  }
  const agoMs = nowMs - recovery.atMs;
  return agoMs >= GOOD_LIFE_MS ? null : databaseRestarted(agoMs, log).toFields();
}

function countFailure(before: number, reason: string, nowMs: number): Recovery {
  const failures = before + 1;
  if (failures >= MAX_FAILURES) return { kind: "down", reason, failedAtMs: nowMs };
  const delayMs = Math.min(FIRST_DELAY_MS * 2 ** before, LONGEST_DELAY_MS);
  return { kind: "restarting", failures, retryAtMs: nowMs + delayMs, reason };
}
