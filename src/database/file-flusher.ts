import { fdatasync } from "node:fs";
import { promisify } from "node:util";

/** Small enough that little is left to wait for at the end, and large enough that the journal is not what takes long. */
const PIECE_BYTES = 32 * 1024 * 1024;

/** Brings a file to the disk behind whoever writes it, a piece at a time; what is smaller than one is left to others. */
export class FileFlusher {
  readonly #fd: number;
  #written = 0;
  #asked = 0;
  #flushing: Promise<void> = Promise.resolve();

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** So many bytes more. Waits only while the disk is a whole piece behind. */
  async wrote(bytes: number): Promise<void> {
    this.#written += bytes;
    if (this.#written - this.#asked >= PIECE_BYTES) await this.#flush();
  }

  /** Nothing more is written. Resolves with how many bytes are on the disk. */
  async end(): Promise<number> {
    if (this.#asked > 0 && this.#written > this.#asked) await this.#flush();
    await this.#flushing;
    return this.#asked;
  }

  /** The file may be closed. */
  async settled(): Promise<void> {
    await Promise.allSettled([this.#flushing]);
  }

  async #flush(): Promise<void> {
    await this.#flushing;
    this.#asked = this.#written;
    this.#flushing = promisify(fdatasync)(this.#fd);
    this.#flushing.catch(() => {
      // Whoever writes the next piece, or the last, is told.
    });
  }
}
