import { setTimeout as delay } from "node:timers/promises";

/** The time of day, passed in so that a test can set it. */
export type Clock = {
  /** Milliseconds since 1970-01-01 UTC. */
  now(): number;
};

export const systemClock: Clock = { now: () => Date.now() };

/** ISO 8601 in UTC. */
export function isoTime(clock: Clock): string {
  return new Date(clock.now()).toISOString();
}

/** Milliseconds of a monotonic clock, for durations. */
export function monotonicMs(): number {
  return performance.now();
}

/** Waits. @throws the signal's reason when it is aborted first. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  await delay(ms, undefined, signal === undefined ? {} : { signal });
}

/** Waits so long, or until the signal cuts it short. Whoever waits looks at the signal afterwards. */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, signal);
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  }
}

/** As `sleep`, without keeping the program from ending. */
export async function rest(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal, ref: false });
}

export async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => resolve(), { once: true });
  await promise;
}

/** Resolves with whether the work is done in time. What is not goes on, and nobody hears how it ends. */
export async function isDoneWithin(ms: number, work: Promise<unknown>): Promise<boolean> {
  const over = new AbortController();
  try {
    return await Promise.race([work.then(() => true), pause(ms, over.signal).then(() => false)]);
  } finally {
    over.abort();
  }
}

export type WaitOptions = {
  readonly timeoutMs: number;
  readonly everyMs?: number;
  readonly signal?: AbortSignal;
};

/**
 * Asks again and again until the answer is not `undefined`; that answer, or `undefined` when the limit has passed.
 */
export async function waitFor<T>(
  ask: () => Promise<T | undefined> | T | undefined,
  { timeoutMs, everyMs = 10, signal }: WaitOptions,
): Promise<T | undefined> {
  const end = monotonicMs() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (monotonicMs() >= end) return undefined;
    await sleep(everyMs, signal);
  }
}
