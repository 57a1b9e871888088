import { waitFor } from "../../base/clock.ts";
import type { EnvironmentId, EnvironmentRecord } from "../../environment/environment.ts";

const LIMIT_MS = 30_000;

type Cleared = Pick<EnvironmentRecord, "id" | "uid">;

/** What has no record, and still processes or files: it was deleted, or is there for a moment to be attacked. */
export class Clearing {
  readonly #held = new Map<EnvironmentId, Cleared>();

  ids(): readonly EnvironmentId[] {
    return [...this.#held.keys()];
  }

  uids(): readonly number[] {
    return [...this.#held.values()].flatMap(({ uid }) => uid ?? []);
  }

  /** Nothing of it is a leftover, and its uid is nobody else's, until the work is done. */
  async during<T>(what: Cleared, work: () => Promise<T>): Promise<T> {
    this.#held.set(what.id, what);
    try {
      return await work();
    } finally {
      this.#held.delete(what.id);
    }
  }

  /** Resolves when nothing is being cleared any more, or after half a minute. */
  async settled(): Promise<void> {
    const isClear = (): true | undefined => (this.#held.size === 0 ? true : undefined);
    await waitFor(isClear, { timeoutMs: LIMIT_MS });
  }
}
