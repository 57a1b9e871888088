import { fdatasync } from "node:fs";
import { promisify } from "node:util";

/** Small enough that whoever else flushes waits for little of ours, and large enough that each is worth a hand-over. */
export const PIECE_BYTES = 8 * 1024 * 1024;

/**
 * Brings a file to the disk behind whoever writes it, a piece at a time, and lets the writer be one piece ahead and no more: what
 * is in memory alone, the disk would write at once and in front of others. What is smaller than a piece is left to others.
 */
export class FileFlusher {
  readonly #flush: () => Promise<void>;
  #written = 0;
  #asked = 0;
  #flushing: Promise<void> = Promise.resolve();

  constructor(fd: number, flush: (fd: number) => Promise<void> = promisify(fdatasync)) {
    this.#flush = () => flush(fd);
  }

  /** So many bytes more. Waits where the piece before is not on the disk yet. */
  async wrote(bytes: number): Promise<void> {
    this.#written += bytes;
    if (this.#written - this.#asked < PIECE_BYTES) return;
    await this.#flushing;
    this.#begin();
  }

  /** Nothing more is written. Resolves with how many bytes are on the disk. */
  async end(): Promise<number> {
    await this.#flushing;
    if (this.#asked > 0 && this.#written > this.#asked) this.#begin();
    await this.#flushing;
    return this.#asked;
  }

  /** The file may be closed. */
  async settled(): Promise<void> {
    await Promise.allSettled([this.#flushing]);
  }

  #begin(): void {
    this.#asked = this.#written;
    this.#flushing = this.#flush();
    this.#flushing.catch(() => {
      // One that failed is the last: whoever waits for it is told.
    });
  }
}
