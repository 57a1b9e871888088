import { fdatasyncSync } from "node:fs";
import os from "node:os";

/** Called after each piece of a file that was copied byte by byte: may wait, or throw. */
export type Pace = (fd: number, bytes: number) => void;

/** Places in the memory that is shared with the thread: how many are in a hurry, and whether its job is given up. */
export const HURRIES = 0;
export const GIVEN_UP = 1;

/** What the thread has written and not brought to the disk: whoever flushes meanwhile waits for no more of ours. */
const MAX_UNWRITTEN_BYTES = 32 * 1024 * 1024;
/** Longer than any create; then it goes on all the same. */
const MAX_PAUSES = 600;
const PAUSE_MS = 1_000;
const LEAST_PRIORITY = 19;

/** To be made in the thread itself, which has the least priority from then on. */
export function createPace(shared: Int32Array): Pace {
  // Of this thread alone; elsewhere than on Linux it would be the whole program's.
  if (process.platform === "linux") os.setPriority(0, LEAST_PRIORITY);
  let unwritten = 0;
  return (fd, bytes) => {
    unwritten += bytes;
    if (unwritten > MAX_UNWRITTEN_BYTES) {
      fdatasyncSync(fd);
      unwritten = 0;
    }
    standStill(shared);
  };
}

function standStill(shared: Int32Array): void {
  for (let pauses = 0; pauses < MAX_PAUSES; pauses += 1) {
    if (Atomics.load(shared, GIVEN_UP) > 0) throw new Error("The copy was given up.");
    const hurries = Atomics.load(shared, HURRIES);
    if (hurries === 0) return;
    Atomics.wait(shared, HURRIES, hurries, PAUSE_MS);
  }
}
