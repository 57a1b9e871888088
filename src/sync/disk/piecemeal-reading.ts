import { type Disk, inTree } from "./disk.ts";

/** A file of a tree that is read piece by piece. */
export class PiecemealReading {
  readonly path: string;
  offset: number;
  readonly #parts: Iterator<Uint8Array, unknown>;
  #rest = new Uint8Array(0);

  constructor(disk: Disk, path: string, offset: number) {
    this.path = path;
    this.offset = offset;
    const range = { offset, size: Number.POSITIVE_INFINITY };
    this.#parts = disk.read(inTree(path), range)[Symbol.iterator]();
  }

  /** What is not read to its end would stay open. */
  close(): void {
    this.#parts.return?.();
  }

  /** So many bytes; fewer at its end alone. */
  take(most: number): Uint8Array {
    const taken: Uint8Array[] = [];
    let size = 0;
    while (size < most) {
      if (this.#rest.length === 0 && !this.#fill()) break;
      const part = this.#rest.subarray(0, most - size);
      this.#rest = this.#rest.subarray(part.length);
      taken.push(part);
      size += part.length;
    }
    this.offset += size;
    return Buffer.concat(taken);
  }

  /** False: there is no more. What is read next may come in the same memory. */
  #fill(): boolean {
    const step = this.#parts.next();
    if (step.done === true) return false;
    this.#rest = Uint8Array.from(step.value);
    return true;
  }
}
