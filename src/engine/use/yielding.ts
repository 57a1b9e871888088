import { monotonicMs } from "../../base/clock.ts";
import { messageOf } from "../../base/problem.ts";
import type { EnvironmentId } from "../../environment/environment.ts";
import { isToYield, type Limits } from "../../limits/limits.ts";
import type { EngineContext } from "../machine/context.ts";

/** One that is up, and what it may take. */
export type Bounded = { readonly id: EnvironmentId; readonly limits: Limits };

/** Processor time that its group had taken by then. */
type Seen = { readonly cpuMs: number; readonly atMs: number };

/**
 * Who goes behind all others on the processors: whoever takes much of what it may. Its neighbours feel each moment in which it
 * is as good as they are, so it is found by glances, several a second; only a look at a whole second lets it before others again.
 */
export class Yielding {
  readonly #context: Pick<EngineContext, "groups" | "log">;
  readonly #seen = new Map<EnvironmentId, Seen>();
  /** Who is not in it was not told yet: an earlier server may have said something. */
  readonly #yields = new Map<EnvironmentId, boolean>();

  constructor(context: Pick<EngineContext, "groups" | "log">) {
    this.#context = context;
  }

  glance(up: Iterable<Bounded>): void {
    for (const { id, limits } of up) {
      const taken = this.#measure(id);
      if (taken === null || this.#yields.get(id) === true) continue;
      if (isToYield(limits, taken, false)) void this.#let(id, true);
    }
  }

  /** By what it took within the last second. */
  async settle({ id, limits }: Bounded, takenCpus: number): Promise<void> {
    const yields = this.#yields.get(id);
    const isTo = isToYield(limits, takenCpus, yields === true);
    if (isTo !== yields) await this.#let(id, isTo);
  }

  forget(id: EnvironmentId): void {
    this.#seen.delete(id);
    this.#yields.delete(id);
  }

  /** Processors' worth of time since the last glance; null: it is the first, or nobody counts. */
  #measure(id: EnvironmentId): number | null {
    const cpuMs = this.#context.groups?.readProcessorMs(id) ?? null;
    if (cpuMs === null) return null;
    const [before, atMs] = [this.#seen.get(id), monotonicMs()];
    this.#seen.set(id, { cpuMs, atMs });
    return before === undefined ? null : (cpuMs - before.cpuMs) / Math.max(1, atMs - before.atMs);
  }

  async #let(id: EnvironmentId, yields: boolean): Promise<void> {
    this.#yields.set(id, yields);
    try {
      await this.#context.groups?.letYield(id, yields);
    } catch (error) {
      this.#context.log(`${id}: who goes before it stays as it was: ${messageOf(error)}`);
    }
  }
}
