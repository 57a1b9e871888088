/** Holds up whoever comes while something is exchanged. */
export class Barrier {
  #opening: Promise<void> | undefined;

  /** Undefined: nothing holds anybody up. To be asked again when it resolves. */
  opening(): Promise<void> | undefined {
    return this.#opening;
  }

  /** Closed while the work goes on, whatever becomes of it; one work at a time. */
  async closedDuring(work: () => Promise<void>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#opening = promise;
    try {
      await work();
    } finally {
      this.#opening = undefined;
      resolve();
    }
  }
}
