import path from "node:path";

import { Problem } from "../../base/problem.ts";
import { type Disk, inStore, type Place } from "./disk.ts";

/** A folder of the store. */
export const TRASH = "trash";
/** Two things of one path at one time are rare. */
const MOST_FOLDERS = 100;

/** A folder for what is displaced at one time; where what came before stands in the way, one beside it. */
export class Trash {
  readonly #disk: Disk;
  readonly #time: string;
  #folder: string | null = null;

  /** @param time names the folder */
  constructor(disk: Disk, time: string) {
    this.#disk = disk;
    this.#time = time;
  }

  /** Relative to the store; null while nothing was displaced. */
  get folder(): string | null {
    return this.#folder;
  }

  /** Where what stood at `name` is to lie, unless something does already: whoever takes it there himself says so. */
  placeOf(name: string): Place {
    return inStore(path.posix.join(this.#nameOf(1), name));
  }

  noteTaken(): void {
    this.#folder ??= this.#nameOf(1);
  }

  /** Takes what lies at a place of the store, as what stood at `name` in the tree. Resolves with where it is. */
  take(from: Place, name: string): Place {
    for (let count = 1; count <= MOST_FOLDERS; count += 1) {
      const folder = this.#nameOf(count);
      const to = inStore(path.posix.join(folder, name));
      if (!this.#isFree(to) || !this.#disk.move(from, to)) continue;
      this.#folder ??= folder;
      return to;
    }
    throw new Error(`What stood at ${name} found no place in the trash.`);
  }

  #nameOf(count: number): string {
    return `${TRASH}/${this.#time}${count === 1 ? "" : `-${count}`}`;
  }

  #isFree(place: Place): boolean {
    try {
      this.#disk.makeFolder(inStore(path.posix.dirname(place.path)));
      return this.#disk.see(place) === undefined;
    } catch (error) {
      // A file of the same time stands where a folder would be needed.
      if (error instanceof Problem) return false;
      throw error;
    }
  }
}
