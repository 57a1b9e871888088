import { flagInvalid } from "./problems.ts";

/** A whole number from 0 to `most`. @throws `flag_invalid` */
export function parseCount(flag: string, text: string, most: number): number {
  const count = /^\d{1,9}$/.test(text) ? Number(text) : Infinity;
  if (count > most) throw flagInvalid(flag, text, `a whole number from 0 to ${most}`);
  return count;
}
