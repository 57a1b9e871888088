import type { CallOptions } from "./creation.ts";

/** Work that is given up when its caller goes or the server leaves. */
export class CallsUnderWay {
  readonly #working = new Set<Promise<unknown>>();
  readonly #leaving = new AbortController();

  async run<T>(options: CallOptions, work: (tracked: CallOptions) => Promise<T>): Promise<T> {
    const signal = AbortSignal.any([options.signal, this.#leaving.signal]);
    signal.throwIfAborted();
    const working = work({ ...options, signal });
    this.#working.add(working);
    try {
      return await working;
    } finally {
      this.#working.delete(working);
    }
  }

  /** Resolves when nothing is under way any more; nothing begins after it. */
  async giveUp(reason: Error): Promise<void> {
    this.#leaving.abort(reason);
    await Promise.allSettled(this.#working);
  }
}
