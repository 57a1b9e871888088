import { monotonicMs } from "../base/clock.ts";
import { MARK_VARIABLE } from "../environment/places.ts";
import { holdStill, letRun } from "../process/process.ts";

/** Whoever was needed so lately is not held still: a client that asks every few seconds would wait each time. */
const CALM_MS = 3_000;

/** Whether an environment's processes are held still in memory; whoever needs them sets them going at once. */
export class Stillness {
  readonly #mark: string;
  readonly #onChange: () => void;
  /** Parents first; null: they run. */
  #held: readonly number[] | null = null;
  #stirredMs = Number.NEGATIVE_INFINITY;

  constructor(mark: string, onChange: () => void) {
    this.#mark = mark;
    this.#onChange = onChange;
  }

  isStill(): boolean {
    return this.#held !== null;
  }

  /** Unless somebody needs them, or has just done so. */
  async begin(): Promise<void> {
    if (this.#held !== null || monotonicMs() - this.#stirredMs < CALM_MS) return;
    const begunMs = monotonicMs();
    const held = await holdStill(MARK_VARIABLE, this.#mark);
    if (this.#stirredMs >= begunMs) letRun(held);
    else this.#set(held);
  }

  /** Somebody needs them. */
  stir(): void {
    this.#stirredMs = monotonicMs();
    if (this.#held === null) return;
    letRun(this.#held);
    this.#set(null);
  }

  #set(held: readonly number[] | null): void {
    this.#held = held;
    this.#onChange();
  }
}
