import type { StepPlan } from "./plan.ts";
import { type StepResult, performStep } from "./step.ts";

/** The steps that one connection asked for, by the ids of its commands. */
export class RunningSteps {
  readonly #running = new Map<
    number,
    { readonly stop: AbortController; readonly over: Promise<unknown> }
  >();

  /** @throws as `performStep` does */
  async run(id: number, plan: StepPlan, logs: string): Promise<StepResult> {
    const stop = new AbortController();
    const running = performStep({ ...plan, logs, signal: stop.signal });
    this.#running.set(id, { stop, over: Promise.allSettled([running]) });
    try {
      return await running;
    } finally {
      this.#running.delete(id);
    }
  }

  cancel(id: number): void {
    this.#running.get(id)?.stop.abort();
  }

  /** Resolves when none is left. */
  async end(): Promise<void> {
    const all = [...this.#running.values()];
    for (const { stop } of all) stop.abort();
    await Promise.all(all.map(({ over }) => over));
  }
}
