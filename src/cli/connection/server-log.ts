import { open, stat } from "node:fs/promises";

import { pause } from "../../base/clock.ts";
import { hasErrorCode } from "../../base/problem.ts";
import type { Home } from "../../protocol/home.ts";

const MAX_LOG_BYTES = 256 * 1024;
const FOLLOW_MS = 150;

/** Bytes; 0 where the server never ran. */
export async function sizeOfLog({ serverLog }: Home): Promise<number> {
  try {
    return (await stat(serverLog)).size;
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR")) return 0;
    throw error;
  }
}

/** The last lines that the server printed, of those between two places in its log. */
export async function readServerLog(
  home: Home,
  { last, from = 0, to }: { readonly last: number; readonly from?: number; readonly to?: number },
): Promise<readonly string[]> {
  const end = to ?? (await sizeOfLog(home));
  const start = Math.max(Math.min(from, end), end - MAX_LOG_BYTES);
  const text = (await readBytes(home, start, end)).toString("utf8").trimEnd();
  return text === "" || last === 0 ? [] : text.split("\n").slice(-last);
}

/** Each line that comes behind a place in the log, until the signal. A log that was begun anew is read from its start. */
export async function followServerLog(
  home: Home,
  from: number,
  { print, signal }: { print: (line: string) => void; signal: AbortSignal | undefined },
): Promise<void> {
  let place = from;
  for (;;) {
    const end = await sizeOfLog(home);
    if (end < place) place = 0;
    const bytes = await readBytes(home, place, Math.min(end, place + MAX_LOG_BYTES));
    // A line that is still being written is left for the next look, unless it fills all of this one.
    const whole = bytes.length === MAX_LOG_BYTES ? bytes.length : bytes.lastIndexOf(10) + 1;
    place += whole;
    if (whole > 0) {
      const lines = bytes.subarray(0, whole).toString("utf8").trimEnd().split("\n");
      for (const line of lines) print(line);
    }
    await pause(FOLLOW_MS, signal);
    if (signal?.aborted === true) return;
  }
}

async function readBytes({ serverLog }: Home, start: number, end: number): Promise<Buffer> {
  if (start >= end) return Buffer.alloc(0);
  const handle = await open(serverLog, "r");
  try {
    const length = end - start;
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(length), 0, length, start);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
