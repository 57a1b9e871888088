import { monotonicMs } from "../base/clock.ts";
import type { EnvironmentId } from "../environment/environment.ts";
import { DEVELOPMENT } from "../environment/name.ts";
import type { LiveEnvironment } from "./live-environment.ts";

/** Whoever was forked is likely to be forked again for so long. */
const LATELY_MS = 60 * 60_000;
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 10 * 60_000;

/** Who is likely to be forked, and for whom a standby may be tried. */
export class StandbyDemand {
  readonly #forkedAt = new Map<EnvironmentId, number>();
  readonly #failures = new Map<EnvironmentId, { readonly count: number; readonly atMs: number }>();

  forked(id: EnvironmentId): void {
    this.#forkedAt.set(id, monotonicMs());
  }

  /** Each failure doubles the pause before the next try. */
  failed(id: EnvironmentId): void {
    const count = (this.#failures.get(id)?.count ?? 0) + 1;
    this.#failures.set(id, { count, atMs: monotonicMs() });
  }

  succeeded(id: EnvironmentId): void {
    this.#failures.delete(id);
  }

  forget(id: EnvironmentId): void {
    this.#forkedAt.delete(id);
    this.#failures.delete(id);
  }

  mayTry(id: EnvironmentId): boolean {
    const failure = this.#failures.get(id);
    if (failure === undefined) return true;
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failure.count - 1));
    return monotonicMs() - failure.atMs >= pauseMs;
  }

  /** Those that are likely to be forked: who was last comes first, then each app's `development`. */
  select(environments: readonly LiveEnvironment[]): readonly LiveEnvironment[] {
    return environments
      .filter(({ record }) => record.name === DEVELOPMENT || this.#isLate(record.id))
      .toSorted((a, b) => this.#lastOf(b) - this.#lastOf(a));
  }

  #isLate(id: EnvironmentId): boolean {
    return monotonicMs() - (this.#forkedAt.get(id) ?? -Infinity) < LATELY_MS;
  }

  #lastOf({ record }: LiveEnvironment): number {
    return this.#forkedAt.get(record.id) ?? 0;
  }
}
