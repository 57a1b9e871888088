/** So many ends within the window are a loop. */
const LOOP = 3;
const WINDOW_MS = 10 * 60_000;

/** Ready for so long, a process has left its loop. */
export const CALM_MS = 60_000;

/** The ends of a process that nobody asked for. Times are of one monotonic clock. */
export class Crashes {
  #atMs: readonly number[] = [];

  note(nowMs: number): void {
    this.#atMs = [...this.#recent(nowMs), nowMs];
  }

  /** How often it ended lately, where that is a loop; else undefined. */
  findLoop(nowMs: number): number | undefined {
    const count = this.#recent(nowMs).length;
    return count < LOOP ? undefined : count;
  }

  forget(): void {
    this.#atMs = [];
  }

  #recent(nowMs: number): readonly number[] {
    return this.#atMs.filter((atMs) => nowMs - atMs < WINDOW_MS);
  }
}
