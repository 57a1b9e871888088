import type { Engine } from "../../engine/engine.ts";

/** How long a change of variables waits for what it restarted to be ready or to fail; it goes on after that. */
const SETTLE_LIMIT_MS = 15_000;

/** Starts again what sees other variables now, so that whoever changed them finds them in the next answer. */
export async function applyVariables(
  live: ReturnType<Engine["registry"]["require"]>,
  signal: AbortSignal,
): Promise<void> {
  await live.refresh();
  await live.settled({ timeoutMs: SETTLE_LIMIT_MS, signal });
}
