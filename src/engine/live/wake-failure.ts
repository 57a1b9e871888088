import { monotonicMs } from "../../base/clock.ts";
import type { ProblemFields } from "../../base/problem.ts";
import { asProblem } from "../home/problems.ts";

/** After a wake that failed, requests are told why for this long; then the next one tries again. */
const RETRY_MS = 5_000;

/** Why the last wake of an environment failed, if it did. */
export class WakeFailure {
  #last: { readonly problem: ProblemFields; readonly atMs: number } | undefined;

  note(error: unknown): void {
    this.#last = { problem: asProblem("wake", error).toFields(), atMs: monotonicMs() };
  }

  clear(): void {
    this.#last = undefined;
  }

  problem(): ProblemFields | undefined {
    return this.#last?.problem;
  }

  /** The same, while another try is not due. */
  freshProblem(): ProblemFields | undefined {
    const { problem, atMs = Number.NEGATIVE_INFINITY } = this.#last ?? {};
    return monotonicMs() - atMs < RETRY_MS ? problem : undefined;
  }
}
