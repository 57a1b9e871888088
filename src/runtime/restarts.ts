/** What led up to the next start of a process. */
export type Restarts = {
  /** Ends in a row without having been ready. */
  readonly failures: number;
  readonly delayMs: number;
};

export const NO_RESTARTS: Restarts = { failures: 0, delayMs: 0 };

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 30_000;
/** Ready for so long, a process is well again. */
const GOOD_LIFE_MS = 60_000;
const MAX_FAILURES = 5;

/** @param readyMs how long it was ready before it ended; null: it never was */
export function planRestart(before: Restarts, readyMs: number | null): Restarts {
  const failures = readyMs === null ? before.failures + 1 : 0;
  if (failures >= MAX_FAILURES) return { failures, delayMs: LONGEST_DELAY_MS };
  const isWell = before.delayMs === 0 || (readyMs !== null && readyMs >= GOOD_LIFE_MS);
  return {
    failures,
    delayMs: isWell ? FIRST_DELAY_MS : Math.min(before.delayMs * 2, LONGEST_DELAY_MS),
  };
}

/** Whether to say that it failed, rather than that it is being restarted. */
export function isHopeless(restarts: Restarts): boolean {
  return restarts.failures >= MAX_FAILURES;
}
