import { monotonicMs } from "../../base/clock.ts";

/** Whether anybody waits for an environment that is being made or started: what is made ahead waits for its end. */
export class Calm {
  #hurries = 0;
  /** The server's own start was the first hurry. */
  #sinceMs = 0;

  get isBroken(): boolean {
    return this.#hurries > 0;
  }

  /** Whether nobody has waited for so long. */
  hasLasted(ms: number): boolean {
    return !this.isBroken && monotonicMs() - this.#sinceMs >= ms;
  }

  /** Somebody waits for this work. */
  async breakFor<T>(work: () => Promise<T>): Promise<T> {
    this.#hurries += 1;
    try {
      return await work();
    } finally {
      this.#hurries -= 1;
      this.#sinceMs = monotonicMs();
    }
  }
}
