import { parseSize } from "../base/quantities.ts";
import { flagInvalid } from "./problems.ts";

/** A whole number from 0 to `most`. @throws `flag_invalid` */
export function parseCount(flag: string, text: string, most: number): number {
  const count = /^\d{1,9}$/.test(text) ? Number(text) : Infinity;
  if (count > most) throw flagInvalid(flag, text, `a whole number from 0 to ${most}`);
  return count;
}

const WHOLE = 2 ** 20;

/** `50G`, `500M`, `1.5T`: a number of bytes, in whole mebibytes. @throws `flag_invalid` */
export function parseBytes(flag: string, text: string): number {
  const bytes = /k/i.test(text) ? undefined : parseSize(text);
  if (bytes === undefined || bytes === 0)
    throw flagInvalid(flag, text, "a number and M, G or T, such as 50G");
  return Math.ceil(bytes / WHOLE) * WHOLE;
}
