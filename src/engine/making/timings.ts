import { monotonicMs } from "../../base/clock.ts";
import { collectSpans } from "../../base/trace.ts";
import type { Span } from "../../base/trace.ts";
import type { DatabaseFork } from "../../environment/environment.ts";
import type { PartTimings } from "../../environment/parts.ts";
import type { LiveEnvironment } from "../live/live-environment.ts";

/** Milliseconds of each part, which ran side by side, of all, and of every step. */
type Timings = PartTimings & {
  readonly runtime: number;
  readonly total: number;
  readonly steps: readonly Span[];
};

export type Made = {
  readonly live: LiveEnvironment;
  /** null: its database is no fork, or there is none. */
  readonly fork: DatabaseFork | null;
  /** Without `runtime`: all of it went into that. */
  readonly timings: PartTimings & { readonly runtime?: number };
};

export type TimedMade = Omit<Made, "timings"> & { readonly timings: Timings };

/** Makes an environment, and tells where the time went. */
export async function timeMaking(make: () => Promise<Made>): Promise<TimedMade> {
  const began = monotonicMs();
  const { outcome, spans } = await collectSpans(make);
  const total = Math.round(monotonicMs() - began);
  return {
    ...outcome,
    timings: { runtime: total, ...outcome.timings, total, steps: spans },
  };
}
