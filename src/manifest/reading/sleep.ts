import { parseDuration } from "../../base/quantities.ts";
import type { ProcessManifest } from "../../environment/manifest.ts";

export const SLEEP_HELP = "it must be false or a duration such as 90s, 15m or 2h";

const DEFAULT_MS = 15 * 60_000;
const LEAST_MS = 1000;

/** Milliseconds; undefined: it is no time after which to fall asleep. */
export function parseSleep(text: string): number | undefined {
  const ms = parseDuration(text);
  return ms === undefined || ms < LEAST_MS ? undefined : ms;
}

/** null: never. Unless it is written, only what a request or a connection can wake falls asleep by itself. */
export function toSleepMs(
  written: string | false | undefined,
  processes: Readonly<Record<string, ProcessManifest>>,
): number | null {
  if (written === false) return null;
  if (written !== undefined) return parseSleep(written) ?? null;
  const all = Object.values(processes);
  return all.length === 0 || all.some(({ port }) => port) ? DEFAULT_MS : null;
}
