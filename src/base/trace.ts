import { AsyncLocalStorage } from "node:async_hooks";

import { monotonicMs } from "./clock.ts";

/** One step of some work: when it began, counted from the beginning of the whole, and how long it took. */
export type Span = { readonly name: string; readonly beganMs: number; readonly ms: number };

type Trace = { readonly originMs: number; readonly spans: Span[] };

/** Carried along by the runtime, as the steps are many rooms deep and none of them needs to know. */
const traces = new AsyncLocalStorage<Trace>();
/** What loops for ever must not fill the memory. */
const MAX_SPANS = 1_000;

/** Does the work and tells its steps, in the order of their beginnings: whatever was `traced` inside. */
export async function collectSpans<T>(
  work: () => Promise<T>,
): Promise<{ outcome: T; spans: readonly Span[] }> {
  const trace: Trace = { originMs: monotonicMs(), spans: [] };
  const outcome = await traces.run(trace, work);
  return { outcome, spans: trace.spans.toSorted((a, b) => a.beganMs - b.beganMs) };
}

/** Does the work as a step of the trace that it is a part of, if it is of one; a step that fails counts too. */
export async function traced<T>(name: string, work: () => Promise<T>): Promise<T> {
  const trace = traces.getStore();
  if (trace === undefined) return work();
  const beganMs = monotonicMs();
  try {
    return await work();
  } finally {
    if (trace.spans.length < MAX_SPANS)
      trace.spans.push({
        name,
        beganMs: beganMs - trace.originMs,
        ms: monotonicMs() - beganMs,
      });
  }
}
