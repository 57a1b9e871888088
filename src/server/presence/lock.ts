import { link, readFile, rm } from "node:fs/promises";

import { sleep } from "../../base/clock.ts";
import { isListening } from "../../base/is-listening.ts";
import { hasErrorCode } from "../../base/problem.ts";
import { writeAtomically } from "../../base/write-atomically.ts";
import { isRunning } from "../../process/process.ts";

export type Lock = { release(): Promise<void> };

/** A holder that is alive but does not answer for this long was not a server: its pid has passed to another program. */
const SILENCE_LIMIT_MS = 5_000;
const ASK_EVERY_MS = 50;

/**
 * Makes this process the one server of its home; undefined when there is one already.
 * The lock is a hard link, which appears whole or not at all; the socket's answer is the second guard.
 */
export async function acquireLock(file: string, socket: string): Promise<Lock | undefined> {
  const own = `${file}.${process.pid}`;
  await writeAtomically(own, String(process.pid));
  try {
    for (let silentMs = 0; ; silentMs += ASK_EVERY_MS) {
      if (await isLinked(own, file)) return { release: async () => releaseLock(file) };
      if (await isListening({ path: socket })) return undefined;
      const stale = await findStale(file, silentMs);
      if (stale === undefined) await sleep(ASK_EVERY_MS);
      else await breakLock(file, { own, stale });
    }
  } finally {
    await rm(own, { force: true });
  }
}

async function isLinked(own: string, file: string): Promise<boolean> {
  try {
    await link(own, file);
    return true;
  } catch (error) {
    if (hasErrorCode(error, "EEXIST")) return false;
    throw error;
  }
}

/** Who holds it without being a server. */
async function findStale(file: string, silentMs: number): Promise<number | undefined> {
  const holder = await readHolder(file);
  if (holder === undefined) return undefined;
  return !isRunning(holder) || silentMs >= SILENCE_LIMIT_MS ? holder : undefined;
}

/**
 * One at a time breaks a lock, and looks again before it does: nobody takes away the new lock of whoever was quicker, not
 * even for an instant, in which a third would find none and be a server as well.
 */
async function breakLock(
  file: string,
  { own, stale }: { readonly own: string; readonly stale: number },
): Promise<void> {
  const breaking = `${file}.breaking`;
  if (!(await isLinked(own, breaking))) {
    const breaker = await readHolder(breaking);
    // Killed in the midst of it.
    if (breaker !== undefined && !isRunning(breaker)) await rm(breaking, { force: true });
    return;
  }
  try {
    if ((await readHolder(file)) === stale) await rm(file, { force: true });
  } finally {
    await rm(breaking, { force: true });
  }
}

async function releaseLock(file: string): Promise<void> {
  if ((await readHolder(file)) === process.pid) await rm(file, { force: true });
}

async function readHolder(file: string): Promise<number | undefined> {
  try {
    return Number(await readFile(file, "utf8"));
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return undefined;
    throw error;
  }
}
