import { monotonicMs } from "../../base/clock.ts";
import { Problem } from "../../base/problem.ts";
import type { CallInput } from "../../protocol/calls.ts";
import type { SeenLines } from "./seen-lines.ts";

/** Calls that go on until the caller leaves, and send lines meanwhile. */
export type StreamName = "environment.logs" | "environment.develop";

const MOST_IN_A_ROW = 5;
/** The loss of a connection that lasted so long is no sign of anything. */
const LASTING_MS = 1_000;
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
    /^(connection_lost|server_not_running|server_unreachable|proxy_unreachable)$/.test(error.code)
  );
}

/** The losses of one stream: a server that dies of the question itself is not asked it without end. */
export class Losses {
  readonly #now: () => number;
  #inARow = 0;
  #since = 0;

  constructor(now: () => number = monotonicMs) {
    this.#now = now;
  }

  begin(): void {
    this.#since = this.#now();
  }

  /** Something came: it goes well. */
  forget(): void {
    this.#inARow = 0;
  }

  /** Whether to begin anew. */
  isBearable(error: unknown): boolean {
    const isLasting = this.#now() - this.#since > LASTING_MS;
    this.#inARow = isLasting ? 1 : this.#inARow + 1;
    return isLoss(error) && this.#inARow <= MOST_IN_A_ROW;
  }
}
