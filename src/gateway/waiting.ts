import { monotonicMs, sleep } from "../base/clock.ts";
import { RECHECK_MS } from "./limits.ts";
import type { Target, TargetState } from "./target.ts";

/**
 * Wakes a target that is asleep and waits until it is ready or unavailable, the limit has passed or
 * the signal is aborted; answers its state then.
 */
export async function waitUntilSettled(
  target: Target,
  options: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<TargetState> {
  const end = monotonicMs() + options.timeoutMs;
  let isWoken = false;
  for (;;) {
    const state = target.state();
    if (isSettled(state)) return state;
    if (state.kind === "asleep" && !isWoken) {
      isWoken = true;
      target.wake();
      continue;
    }
    const leftMs = end - monotonicMs();
    if (leftMs <= 0 || options.signal.aborted) return state;
    await nextChange(target, Math.min(leftMs, RECHECK_MS), options.signal);
  }
}

export function isSettled(state: TargetState): boolean {
  return state.kind === "ready" || state.kind === "unavailable";
}

async function nextChange(target: Target, limitMs: number, signal: AbortSignal): Promise<void> {
  const done = new AbortController();
  const stop = AbortSignal.any([signal, done.signal]);
  try {
    await Promise.race([target.changed(stop), sleep(limitMs, stop)]);
  } catch (error) {
    // Ending a wait by its signal is no failure: the caller looks at the state.
    if (!stop.aborted) throw error;
  } finally {
    done.abort();
  }
}
