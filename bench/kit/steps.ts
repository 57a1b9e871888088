import type { CreatedEnvironment } from "../../src/protocol/schemas.ts";
import { median, Series } from "./figures.ts";

/** Shorter ones explain nothing. */
const LEAST_STEP_MS = 3;

/** When a create's steps began, and how long they took; of several creates the medians. */
export class Steps {
  readonly #series = new Series();

  add({ timings }: CreatedEnvironment): void {
    for (const step of timings.steps) {
      this.#series.add(step.name, step.ms);
      this.#series.add(beginOf(step.name), step.beganMs);
    }
  }

  /** `of`: whose they are, for people. */
  format(of: string): string {
    const shown = this.#series
      .names()
      .filter((name) => this.#series.of(beginOf(name)).length > 0)
      .filter((name) => median(this.#series.of(name)) >= LEAST_STEP_MS)
      .map((name) => {
        const began = Math.round(median(this.#series.of(beginOf(name))));
        return `${name} ${began} + ${Math.round(median(this.#series.of(name)))}`;
      });
    return `Steps of ${of} (began + took, ms): ${shown.join("; ")}.`;
  }
}

function beginOf(step: string): string {
  return `${step} began`;
}
