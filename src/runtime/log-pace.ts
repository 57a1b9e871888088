/** Of what is written, in the long run; a program that says more than this reads like a flood to people, too. */
const BYTES_A_SECOND = 4 * 1024 * 1024;
/** At once, after a rest: a start, a failed test with its trace. */
const BURST_BYTES = 32 * 1024 * 1024;

/**
 * How fast a log is taken: who says more waits at its own pipe, so that nothing is lost, and the keeper's time for it,
 * which is the neighbours' too, is bounded.
 */
export class LogPace {
  #left = BURST_BYTES;
  #atMs: number;

  constructor(nowMs: number) {
    this.#atMs = nowMs;
  }

  /** Milliseconds to wait before more is read; 0: none. */
  take(bytes: number, nowMs: number): number {
    const gained = ((nowMs - this.#atMs) / 1000) * BYTES_A_SECOND;
    this.#left = Math.min(BURST_BYTES, this.#left + gained) - bytes;
    this.#atMs = nowMs;
    return this.#left >= 0 ? 0 : (-this.#left / BYTES_A_SECOND) * 1000;
  }
}
