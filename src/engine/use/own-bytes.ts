import { monotonicMs, waitFor } from "../../base/clock.ts";
import { messageOf } from "../../base/problem.ts";
import { measureOwnBytes } from "../../files/files.ts";
import type { LiveEnvironment } from "../live/live-environment.ts";
import type { EngineContext } from "../machine/context.ts";

/** How long a figure is shown before it is measured again. */
const FRESH_MS = 15_000;
/** The same of one that has slept all the while: hundreds of them, listed every few seconds, would keep the disk busy. */
const FRESH_ASLEEP_MS = 2 * 60_000;

type Figure = {
  readonly bytes: number | null;
  readonly atMs: number;
  /** When it had been used last, ISO 8601 UTC; null: it did not sleep. */
  readonly asleepSince: string | null;
};

/**
 * How many bytes each environment has that no other shares. To measure takes up to some 100 ms, so that whoever asks is
 * told what is known, and it is found out behind, one environment after another.
 */
export class OwnBytes {
  readonly #context: EngineContext;
  readonly #known = new WeakMap<LiveEnvironment, Figure>();
  readonly #waiting = new Set<LiveEnvironment>();
  #measuring: Promise<void> | undefined;

  constructor(context: EngineContext) {
    this.#context = context;
  }

  /** As it was measured last; null: not yet, or nothing here can tell. */
  recall(live: LiveEnvironment): number | null {
    const figure = this.#known.get(live);
    if (figure === undefined || isOld(figure, live)) this.#ask(live);
    return figure?.bytes ?? null;
  }

  /** The same, where it is not known yet waited for, at most so long. */
  async find(live: LiveEnvironment, options: { readonly timeoutMs: number }): Promise<void> {
    this.recall(live);
    await waitFor(() => (this.#known.has(live) ? true : undefined), { ...options, everyMs: 5 });
  }

  /** Settles when nothing is being measured. */
  async settled(): Promise<void> {
    this.#waiting.clear();
    await this.#measuring;
  }

  #ask(live: LiveEnvironment): void {
    this.#waiting.add(live);
    this.#measuring ??= this.#measureAll().finally(() => {
      this.#measuring = undefined;
    });
  }

  async #measureAll(): Promise<void> {
    for (const live of this.#waiting) {
      const asleepSince = findAsleepSince(live);
      const bytes = await this.#measure(live);
      this.#known.set(live, { bytes, atMs: monotonicMs(), asleepSince });
      this.#waiting.delete(live);
    }
  }

  /** One that is deleted meanwhile has none; whatever else goes wrong is noted, and no figure is shown. */
  async #measure(live: LiveEnvironment): Promise<number | null> {
    try {
      return await measureOwnBytes(this.#context.layout.folder(live.record.id));
    } catch (error) {
      live.note(`its bytes could not be counted: ${messageOf(error)}`);
      return null;
    }
  }
}

function isOld({ atMs, asleepSince }: Figure, live: LiveEnvironment): boolean {
  const isAsleepStill = asleepSince !== null && asleepSince === findAsleepSince(live);
  return monotonicMs() - atMs > (isAsleepStill ? FRESH_ASLEEP_MS : FRESH_MS);
}

function findAsleepSince(live: LiveEnvironment): string | null {
  return live.state() === "asleep" ? live.usage.lastTime() : null;
}
