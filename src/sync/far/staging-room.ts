import { statfs } from "node:fs/promises";

import { diskFull } from "../../base/disk-full.ts";

/** What stays free for all else on the disk: so much, or a part of a small one. */
const RESERVE_BYTES = 64 * 2 ** 20;
const RESERVE_PART = 1 / 16;

/** The room for what a visitor sends ahead of a plan: twice, since it is copied as it is put in place. */
export class StagingRoom {
  readonly #folder: string;
  #taken = 0;

  /** @param folder on the disk that it is staged on */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Before so many bytes are staged. @throws `disk_full`, and nothing is taken */
  async take(bytes: number): Promise<void> {
    const { bavail, blocks, bsize } = await statfs(this.#folder);
    const reserve = Math.min(RESERVE_BYTES, blocks * bsize * RESERVE_PART);
    // What is staged already lies there once.
    if (bavail * bsize < reserve + this.#taken + 2 * bytes) throw diskFull(this.#folder);
    this.#taken += bytes;
  }

  /** What was taken is not staged any more. */
  giveBack(bytes: number): void {
    this.#taken -= bytes;
  }

  /** Nothing is staged any more. */
  clear(): void {
    this.#taken = 0;
  }
}
