import type { LogLine } from "../../environment/environment.ts";

/** Which lines of a log were shown, so that one that is read again after a lost connection goes on where it was. */
export class SeenLines {
  #time = "";
  /** Of those that were shown, how many bear the last one's time. */
  #shown = 0;
  /** Of those that are read again, how many of that time are still to come. */
  #again = 0;

  /** The time of the last line; null: none was shown. */
  get since(): string | null {
    return this.#time === "" ? null : this.#time;
  }

  /** What comes now begins at that time, or before it. */
  readAgain(): void {
    this.#again = this.#shown;
  }

  /** False: it was shown already. */
  isNew({ time }: LogLine): boolean {
    if (this.#again > 0 && time < this.#time) return false;
    if (this.#again > 0 && time === this.#time) {
      this.#again -= 1;
      return false;
    }
    this.#again = 0;
    this.#shown = time === this.#time ? this.#shown + 1 : 1;
    this.#time = time;
    return true;
  }
}
