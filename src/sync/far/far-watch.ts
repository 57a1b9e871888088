import { pause } from "../../base/clock.ts";

/** How many events have happened there: resolves when they are others than were seen, or after a while. */
type Wait = (seen: number, signal: AbortSignal) => Promise<number>;

type Told = {
  /** Something may have happened, or was not heard of. */
  readonly onEvent: () => void;
  /** Told once: waits fail again and again, and nothing that happens is heard of before somebody looks. */
  readonly onUnheard: (error: unknown) => void;
};

/** A network that has gone comes back; whoever looks meanwhile says what is wrong. */
const RETRY_MS = 1_000;
/** In a row: by then a connection that was lost has ended whoever looks. */
const MOST_LOST = 3;

/** What is heard of a tree at the other end of a wire: that something may have happened, and not where. */
export class FarWatch {
  readonly isComplete = true;
  readonly #closing = new AbortController();

  constructor(wait: Wait, told: Told) {
    void this.#listen(wait, told);
  }

  close(): void {
    this.#closing.abort();
  }

  async #listen(wait: Wait, { onEvent, onUnheard }: Told): Promise<void> {
    const { signal } = this.#closing;
    let [seen, lost, isTold] = [0, 0, false];
    while (!signal.aborted) {
      const { heard, error } = await hear(wait(seen, signal));
      if (signal.aborted) return;
      if (heard !== seen) onEvent();
      lost = heard === undefined ? lost + 1 : 0;
      if (lost >= MOST_LOST && !isTold) onUnheard(error);
      isTold ||= lost >= MOST_LOST;
      // The same is asked again: what happened while nobody heard of it is told then.
      if (heard === undefined) await pause(RETRY_MS, signal);
      seen = heard ?? seen;
    }
  }
}

/** Without `heard` the question or its answer was lost. */
async function hear(waiting: Promise<number>): Promise<{ heard?: number; error?: unknown }> {
  try {
    return { heard: await waiting };
  } catch (error) {
    return { error };
  }
}
