/** What is heard of a tree at the other end of a wire: that something may have happened, and not where. */
export class FarWatch {
  readonly isComplete = true;
  readonly #closing = new AbortController();

  /** @param wait resolves when something may have happened */
  constructor(wait: (signal: AbortSignal) => Promise<void>, onEvent: () => void) {
    void this.#listen(wait, onEvent);
  }

  close(): void {
    this.#closing.abort();
  }

  async #listen(wait: (signal: AbortSignal) => Promise<void>, onEvent: () => void): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        await wait(signal);
      } catch {
        // Whoever looks next finds the wire broken, and says so.
        this.close();
      }
      onEvent();
    }
  }
}
