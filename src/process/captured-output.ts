/** Keeps the beginning and the end of a stream of bytes, each up to half of `most`; what lies between is counted. */
export class CapturedOutput {
  /** All that came, also what is left out. */
  bytes = 0;
  readonly #half: number;
  #head: Buffer[] = [];
  #headBytes = 0;
  #tail: Buffer[] = [];
  #tailBytes = 0;
  #left = 0;

  constructor(most: number) {
    this.#half = Math.max(1, Math.floor(most / 2));
  }

  /** Whether nothing of it was left out. */
  get isWhole(): boolean {
    return this.bytes <= 2 * this.#half;
  }

  push(chunk: Buffer): void {
    this.bytes += chunk.length;
    const room = this.#half - this.#headBytes;
    const first = chunk.subarray(0, room);
    if (first.length > 0) {
      this.#head.push(first);
      this.#headBytes += first.length;
    }
    if (chunk.length > room) this.#pushTail(chunk.subarray(room));
  }

  text(): string {
    const tail = Buffer.concat(this.#tail);
    const extra = Math.max(0, tail.length - this.#half);
    const left = this.#left + extra;
    const kept = Buffer.concat(left === 0 ? [...this.#head, tail] : this.#head).toString("utf8");
    if (left === 0) return kept;
    return `${kept}\n… ${left} bytes left out …\n${tail.subarray(extra).toString("utf8")}`;
  }

  #pushTail(chunk: Buffer): void {
    this.#tail.push(chunk);
    this.#tailBytes += chunk.length;
    for (;;) {
      const oldest = this.#tail[0];
      if (oldest === undefined || this.#tailBytes - oldest.length < this.#half) return;
      this.#tail.shift();
      this.#tailBytes -= oldest.length;
      this.#left += oldest.length;
    }
  }
}
