import { hasErrorCode, Problem } from "./problem.ts";

/** What is thrown in place of an error that says that a disk is full; any other error stays what it is. */
export function explainDiskFull(error: unknown, folder: string): unknown {
  return hasErrorCode(error, "ENOSPC", "EDQUOT") ? diskFull(folder) : error;
}

export function diskFull(folder: string): Problem {
  return new Problem({
    code: "disk_full",
    message: `There is no room left for files in ${folder}.`,
    remedy: "Make room, or delete environments with `ramet env delete`.",
  });
}
