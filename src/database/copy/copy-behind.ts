import { KeyedLock } from "../../base/keyed-lock.ts";
import type { CopyJob, JobDone } from "./copy-file.ts";
import { GIVEN_UP, HURRIES } from "./copy-pace.ts";
import { createCopyPool } from "./copy-threads.ts";

const flags = new Int32Array(new SharedArrayBuffer(8));
const pool = createCopyPool(1);
const turns = new KeyedLock();

/**
 * Does a job for which nobody waits: in one thread of the least priority, after all others of this kind, and not
 * while someone is in a hurry. @throws the signal's reason
 */
export async function copyBehind(job: CopyJob, signal: AbortSignal): Promise<JobDone> {
  return turns.run("", async () => {
    signal.throwIfAborted();
    Atomics.store(flags, GIVEN_UP, 0);
    const giveUp = (): void => {
      Atomics.store(flags, GIVEN_UP, 1);
      Atomics.notify(flags, HURRIES);
    };
    signal.addEventListener("abort", giveUp, { once: true });
    try {
      return await pool.run({ ...job, flags });
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener("abort", giveUp);
    }
  });
}

/** Copies behind stand still while this work goes on. */
export async function hurrying<T>(work: () => Promise<T>): Promise<T> {
  Atomics.add(flags, HURRIES, 1);
  try {
    return await work();
  } finally {
    Atomics.sub(flags, HURRIES, 1);
    Atomics.notify(flags, HURRIES);
  }
}
