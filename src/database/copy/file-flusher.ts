import { fdatasync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { promisify } from "node:util";

/** Small enough that little is left to wait for at the end, and large enough that the journal is not what takes long. */
const PIECE_BYTES = 32 * 1024 * 1024;

/** Brings a file to the disk behind whoever writes it, a piece at a time; what is smaller than one is left to others. */
export class FileFlusher {
  readonly #fd: number;
  #written = 0;
  #asked = 0;
  #isFlushing = false;
  #flushing: Promise<void> = Promise.resolve();

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** So many bytes more. Waits for no disk: one that is slower than its writer is asked less often, for more. */
  async wrote(bytes: number): Promise<void> {
    this.#written += bytes;
    if (this.#written - this.#asked < PIECE_BYTES) return;
    // A writer that never waits would not hear that the last piece is there.
    await nextTurn();
    if (!this.#isFlushing) this.#begin();
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
      // One that failed is the last: whoever asks for the end is told.
    });
  }

  async #flush(): Promise<void> {
    this.#isFlushing = true;
    await promisify(fdatasync)(this.#fd);
    this.#isFlushing = false;
  }
}
