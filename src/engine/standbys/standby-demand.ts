import { monotonicMs } from "../../base/clock.ts";
import type { Clock } from "../../base/clock.ts";
import type { EnvironmentId } from "../../environment/environment.ts";
import { DEVELOPMENT } from "../../environment/name.ts";
import type { LiveEnvironment } from "../live/live-environment.ts";

/** Whoever was forked is likely to be forked again for so long. */
const LATELY_MS = 60 * 60_000;
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 10 * 60_000;

/** Who is likely to be forked, and for whom a standby may be tried. */
export class StandbyDemand {
  readonly #clock: Clock;
  /** Milliseconds since 1970. */
  readonly #forkedAt = new Map<EnvironmentId, number>();
  readonly #unsaved = new Set<EnvironmentId>();
  readonly #failures = new Map<EnvironmentId, { readonly count: number; readonly atMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  forked(id: EnvironmentId): void {
    this.#forkedAt.set(id, this.#clock.now());
    this.#unsaved.add(id);
  }

  /** As an earlier server noted it. */
  recall(id: EnvironmentId, forkedAtMs: number): void {
    this.#forkedAt.set(id, Math.min(forkedAtMs, this.#clock.now()));
  }

  /** What the next server is to be told, each once. */
  takeUnsaved(): readonly { readonly id: EnvironmentId; readonly forkedAtMs: number }[] {
    const unsaved = [...this.#unsaved].flatMap((id) => {
      const forkedAtMs = this.#forkedAt.get(id);
      return forkedAtMs === undefined ? [] : [{ id, forkedAtMs }];
    });
    this.#unsaved.clear();
    return unsaved;
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
    this.#unsaved.delete(id);
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
    return this.#clock.now() - (this.#forkedAt.get(id) ?? -Infinity) < LATELY_MS;
  }

  #lastOf({ record }: LiveEnvironment): number {
    return this.#forkedAt.get(record.id) ?? 0;
  }
}
