/**
 * Whatever is opened is pushed here by the next line; `undo` takes it back in reverse order.
 * Undoing goes on past a step that fails, and reports all failures together.
 */
export class UndoStack {
  readonly #steps: (() => Promise<void> | void)[] = [];

  push(step: () => Promise<void> | void): void {
    this.#steps.push(step);
  }

  /** Forgets every step: the work is committed. */
  keep(): void {
    this.#steps.length = 0;
  }

  /** @throws AggregateError of the steps that failed, after all have run. */
  async undo(): Promise<void> {
    const failures: unknown[] = [];
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0)
      throw new AggregateError(failures, "Taking back what was begun failed.");
  }
}
