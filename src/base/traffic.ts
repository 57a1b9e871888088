/** A connection's heartbeats may be of several kinds. */
const KNOWN_LENGTHS = 8;
/** Nothing so large is sent only to stay connected. */
const LARGE_BYTES = 4_096;
/** Nor is so much. */
const BUSY_PER_SECOND = 50;

/**
 * Tells what somebody does on a connection from what only keeps it alive: a heartbeat, or a poll, is of a length that
 * the connection carried lately, and comes a few times a second at most.
 */
export class Traffic {
  /** The newest last. */
  readonly #lengths: number[] = [];
  #second = 0;
  #count = 0;

  isUse(bytes: number, nowMs: number): boolean {
    const isBusy = this.#isBusy(nowMs);
    return bytes >= LARGE_BYTES || !this.#isKnown(bytes) || isBusy;
  }

  #isKnown(bytes: number): boolean {
    const at = this.#lengths.indexOf(bytes);
    if (at >= 0) this.#lengths.splice(at, 1);
    else if (this.#lengths.length === KNOWN_LENGTHS) this.#lengths.shift();
    this.#lengths.push(bytes);
    return at >= 0;
  }

  #isBusy(nowMs: number): boolean {
    const second = Math.floor(nowMs / 1000);
    this.#count = second === this.#second ? this.#count + 1 : 1;
    this.#second = second;
    return this.#count > BUSY_PER_SECOND;
  }
}
