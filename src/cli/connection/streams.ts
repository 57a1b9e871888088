import { Problem } from "../../base/problem.ts";
import type { CallInput } from "../../protocol/calls.ts";
import type { SeenLines } from "./seen-lines.ts";

/** Calls that go on until the caller leaves, and send lines meanwhile. */
export type StreamName = "environment.logs" | "environment.develop";

const MISSED = { last: 100_000 };

/** What a stream that was lost is asked anew: what was printed while nobody listened comes too. */
export function resume(input: CallInput<StreamName>, seen: SeenLines): CallInput<StreamName> {
  seen.readAgain();
  if (!("last" in input)) return input;
  return seen.since === null ? { ...input, last: 0 } : { ...input, ...MISSED, since: seen.since };
}

/** The server, or the way to it, has gone, and may come back. */
export function isLoss(error: unknown): boolean {
  return (
    error instanceof Problem &&
    /^(connection_lost|server_not_running|server_unreachable)$/.test(error.code)
  );
}
