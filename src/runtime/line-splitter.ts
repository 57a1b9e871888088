const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** Cuts a stream of bytes into lines of text; bytes that are no UTF-8 become U+FFFD, a line longer than `most` is cut. */
export class LineSplitter {
  readonly #most: number;
  #parts: Buffer[] = [];
  #size = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** The lines that are complete now. */
  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let rest = chunk;
    for (let at = rest.indexOf(NEWLINE); at >= 0; at = rest.indexOf(NEWLINE)) {
      this.#hold(rest.subarray(0, at), lines);
      lines.push(this.#take());
      rest = rest.subarray(at + 1);
    }
    this.#hold(rest, lines);
    return lines;
  }

  /** What stood behind the last line's end. */
  end(): string[] {
    return this.#size === 0 ? [] : [this.#take()];
  }

  #hold(bytes: Buffer, lines: string[]): void {
    let rest = bytes;
    while (this.#size + rest.length > this.#most) {
      const cut = boundaryBefore(rest, this.#most - this.#size);
      this.#parts.push(rest.subarray(0, cut));
      lines.push(this.#take());
      rest = rest.subarray(cut);
    }
    if (rest.length === 0) return;
    this.#parts.push(rest);
    this.#size += rest.length;
  }

  #take(): string {
    const line =
      this.#parts.length === 1 ? (this.#parts[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#size = 0;
    return line.toString("utf8", 0, line.at(-1) === RETURN ? line.length - 1 : line.length);
  }
}

/** So that no character is cut in two; where there is no such place, `most` itself. */
function boundaryBefore(bytes: Buffer, most: number): number {
  for (let at = most; at > 0 && at > most - 4; at -= 1) {
    if (((bytes[at] ?? 0) & 0xc0) !== 0x80) return at;
  }
  return most;
}
