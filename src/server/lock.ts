import { link, readFile, rename, rm } from "node:fs/promises";
import { connect } from "node:net";

import { sleep } from "../base/clock.ts";
import { hasErrorCode } from "../base/problem.ts";
import { writeAtomically } from "../base/write-atomically.ts";
import { isRunning } from "../process/process.ts";

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
      if (await answers(socket)) return undefined;
      if (await isStale(file, silentMs)) await breakLock(file);
      else await sleep(ASK_EVERY_MS);
    }
  } finally {
    await rm(own, { force: true });
  }
}

/** Whether a server answers at this socket. */
async function answers(socket: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const connection = connect(socket);
  connection.once("connect", () => resolve(true));
  connection.once("error", () => resolve(false));
  const isThere = await promise;
  connection.destroy();
  return isThere;
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

async function isStale(file: string, silentMs: number): Promise<boolean> {
  const holder = await readHolder(file);
  if (holder === undefined) return false;
  return !isRunning(holder) || silentMs >= SILENCE_LIMIT_MS;
}

/** Moved aside before it is removed, so that of several who find it stale one does it; a lock that was new is put back. */
async function breakLock(file: string): Promise<void> {
  const holder = await readHolder(file);
  const aside = `${file}.stale.${process.pid}`;
  try {
    await rename(file, aside);
    if ((await readHolder(aside)) !== holder) await link(aside, file);
  } catch (error) {
    if (!hasErrorCode(error, "ENOENT", "EEXIST")) throw error;
  }
  await rm(aside, { force: true });
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
