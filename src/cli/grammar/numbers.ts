import { parseDuration, parseSize } from "../../base/quantities.ts";
import { flagInvalid } from "./problems.ts";

/** A whole number from 0 to `most`. @throws `flag_invalid` */
export function parseCount(flag: string, text: string, most: number): number {
  const count = /^\d{1,9}$/.test(text) ? Number(text) : Infinity;
  if (count > most) throw flagInvalid(flag, text, `a whole number from 0 to ${most}`);
  return count;
}

const DAY = /^\d{4}-\d{2}-\d{2}(?:[T ]|$)/;

/** The ISO 8601 time in UTC that a duration before now, or a time, means. @throws `flag_invalid` */
export function parseSince(flag: string, text: string, now: number): string {
  const duration = parseDuration(text);
  const at = duration === undefined && DAY.test(text) ? Date.parse(text) : now - (duration ?? NaN);
  if (Number.isNaN(at) || Math.abs(at) > MOST_MS)
    throw flagInvalid(
      flag,
      text,
      "a duration such as 90s, 15m or 2h, or a time such as 2026-11-29T10:00",
    );
  return new Date(at).toISOString();
}

/** What a `Date` can hold. */
const MOST_MS = 8.64e15;

const WHOLE = 2 ** 20;

/** `50G`, `500M`, `1.5T`: a number of bytes, in whole mebibytes. @throws `flag_invalid` */
export function parseBytes(flag: string, text: string): number {
  const bytes = /k/i.test(text) ? undefined : parseSize(text);
  if (bytes === undefined || bytes === 0)
    throw flagInvalid(flag, text, "a number and M, G or T, such as 50G");
  return Math.ceil(bytes / WHOLE) * WHOLE;
}
