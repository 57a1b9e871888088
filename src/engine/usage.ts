import type { Clock } from "../base/clock.ts";

/** When an environment was used last, and whether somebody is at it just now. */
export class Usage {
  readonly #clock: Clock;
  #lastMs: number;
  #occupants = 0;

  /** @param lastMs milliseconds since 1970 */
  constructor(clock: Clock, lastMs: number) {
    this.#clock = clock;
    this.#lastMs = lastMs;
  }

  /** Something was asked or done just now. */
  touch(): void {
    this.#lastMs = this.#clock.now();
  }

  /** Somebody is at it from now on. @returns how to leave; a second time is nothing */
  occupy(): () => void {
    this.#occupants += 1;
    let isHere = true;
    return () => {
      if (!isHere) return;
      isHere = false;
      this.#occupants -= 1;
      this.touch();
    };
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
