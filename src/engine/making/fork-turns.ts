import { availableParallelism } from "node:os";

import { sleep } from "../../base/clock.ts";
import { traced } from "../../base/trace.ts";
import { Turns } from "../../base/turns.ts";

/** One that takes longer waits for more than processors: for an installation, a compiler, a disk. */
const TURN_LIMIT_MS = 3_000;

/**
 * Forks that are asked for at one moment share the processors: all at once they would all be ready last. As many at a time
 * as there are processors keep those busy, and the first agents can begin.
 */
export class ForkTurns {
  readonly #turns: Turns;
  readonly #limitMs: number;

  constructor({ most = Math.max(2, availableParallelism()), limitMs = TURN_LIMIT_MS } = {}) {
    this.#turns = new Turns(most);
    this.#limitMs = limitMs;
  }

  async inTurn<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const end = await traced("turn", async () => this.#turns.take(signal));
    const over = new AbortController();
    // Cut short when the work is done.
    void sleep(this.#limitMs, over.signal).then(end, () => undefined);
    try {
      return await work();
    } finally {
      over.abort();
      end();
    }
  }
}
