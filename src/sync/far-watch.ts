import { pause } from "../base/clock.ts";

/** How many events have happened there: resolves when they are others than were seen, or after a while. */
type Wait = (seen: number, signal: AbortSignal) => Promise<number>;

/** A network that has gone comes back; whoever looks meanwhile says what is wrong. */
const RETRY_MS = 1_000;

/** What is heard of a tree at the other end of a wire: that something may have happened, and not where. */
export class FarWatch {
  readonly isComplete = true;
  readonly #closing = new AbortController();

  constructor(wait: Wait, onEvent: () => void) {
    void this.#listen(wait, onEvent);
  }

  close(): void {
    this.#closing.abort();
  }

  async #listen(wait: Wait, onEvent: () => void): Promise<void> {
    const { signal } = this.#closing;
    for (let seen = 0; !signal.aborted;) {
      const heard = await unlessLost(wait(seen, signal));
      if (signal.aborted) return;
      if (heard !== seen) onEvent();
      // The same is asked again: what happened while nobody heard of it is told then.
      if (heard === undefined) await pause(RETRY_MS, signal);
      seen = heard ?? seen;
    }
  }
}

/** undefined: the question or its answer was lost, which whoever looks next finds out, where it lasts. */
async function unlessLost(waiting: Promise<number>): Promise<number | undefined> {
  try {
    return await waiting;
  } catch {
    return undefined;
  }
}
