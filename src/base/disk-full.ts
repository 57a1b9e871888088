import { hasErrorCode, messageOf, Problem } from "./problem.ts";

/** As programs say it, PostgreSQL among them, whose own code for it is 53100. */
const SAID = /No space left on device|Disk quota exceeded/;

/** What is thrown in place of an error that says that a disk is full; any other error stays what it is. */
export function explainDiskFull(error: unknown, folder: string): unknown {
  const isFull = hasErrorCode(error, "ENOSPC", "EDQUOT", "53100") || saysDiskFull(messageOf(error));
  return isFull ? diskFull(folder) : error;
}

export function saysDiskFull(text: string): boolean {
  return SAID.test(text);
}

export function diskFull(folder: string): Problem {
  return new Problem({
    code: "disk_full",
    message: `There is no room left for files in ${folder}.`,
    remedy:
      "Make room, delete environments with `ramet env delete`, or enlarge storage of their own with `ramet server storage grow`.",
  });
}
