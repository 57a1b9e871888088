import type { Clock } from "../../base/clock.ts";
import type { EnvironmentRecord } from "../../environment/environment.ts";
import { NO_USE, type UseSample } from "./use-summary.ts";

/** When an environment was used last, whether somebody is at it just now, and what it takes meanwhile. */
export class Usage {
  /** What it took of the machine at the last look. */
  sample: UseSample = NO_USE;
  readonly #clock: Clock;
  readonly #onUse: () => void;
  #lastMs: number;
  #occupants = 0;
  #requests = 0;

  /**
   * @param lastMs milliseconds since 1970
   * @param onUse called whenever it is used, or only stirred, before that is answered
   */
  constructor(clock: Clock, lastMs: number, onUse: () => void = () => undefined) {
    this.#clock = clock;
    this.#onUse = onUse;
    this.#lastMs = lastMs;
  }

  /** Something was asked or done just now. */
  touch(): void {
    this.#lastMs = this.#clock.now();
    this.#onUse();
  }

  /** Something passes to its processes, be it only what keeps a connection: no use, but they must run. */
  stir(): void {
    this.#onUse();
  }

  /** Somebody is at it from now on. @returns how to leave; a second time is nothing */
  occupy(): () => void {
    this.#occupants += 1;
    this.#onUse();
    let isHere = true;
    return () => {
      if (!isHere) return;
      isHere = false;
      this.#occupants -= 1;
      this.touch();
    };
  }

  /** The same for a request to one of its processes, which is counted. */
  serve(): () => void {
    this.#requests += 1;
    return this.occupy();
  }

  /** How many requests there were since the server knows it. */
  requests(): number {
    return this.#requests;
  }

  async during<T>(work: () => Promise<T>): Promise<T> {
    const leave = this.occupy();
    try {
      return await work();
    } finally {
      leave();
    }
  }

  isOccupied(): boolean {
    return this.#occupants > 0;
  }

  /** Milliseconds since 1970. */
  lastMs(): number {
    return this.isOccupied() ? this.#clock.now() : this.#lastMs;
  }

  /** ISO 8601 UTC. */
  lastTime(): string {
    return new Date(this.lastMs()).toISOString();
  }

  idleMs(): number {
    return this.#clock.now() - this.lastMs();
  }
}

/** Milliseconds since 1970, as its record says. */
export function usedMs({
  usedAt,
  createdAt,
}: Pick<EnvironmentRecord, "usedAt" | "createdAt">): number {
  return Date.parse(usedAt ?? createdAt);
}
