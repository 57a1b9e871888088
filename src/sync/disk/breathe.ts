import { setImmediate as turn } from "node:timers/promises";

import { monotonicMs } from "../../base/clock.ts";

/** So long one works without letting others: a gateway beside it waits no longer. */
const SLICE_MS = 4;

let since = 0;

/** Lets whatever waits have its turn, unless it just had one. */
export async function breathe(): Promise<void> {
  if (monotonicMs() - since < SLICE_MS) return;
  await turn();
  since = monotonicMs();
}
