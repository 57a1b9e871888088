import { closeSync, constants, fstatSync, openSync, unlinkSync, writeSync } from "node:fs";

import { hasErrorCode } from "../../base/problem.ts";

const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW;
/** All within a tick of a clock that counts in milliseconds. */
const TRIES = 8;

/**
 * Whether a disk tells each change from the one before it, however soon it follows, once that one was looked at: Linux
 * does from 6.13 on (docs.kernel.org/filesystems/multigrain-ts.html), others count in steps of milliseconds or seconds.
 * Tried out with a file that is made and removed.
 */
export function hasExactTimes(file: string): boolean {
  try {
    const descriptor = openSync(file, CREATE, 0o600);
    try {
      return areApart(descriptor);
    } finally {
      closeSync(descriptor);
      unlinkSync(file);
    }
  } catch (error) {
    if (hasErrorCode(error, "EACCES", "EPERM", "EROFS", "ENOSPC", "EDQUOT", "ENOENT", "ELOOP"))
      return false;
    throw error;
  }
}

function areApart(descriptor: number): boolean {
  const times = new Set<bigint>();
  for (let count = 0; count < TRIES; count += 1) {
    writeSync(descriptor, ".");
    times.add(fstatSync(descriptor, { bigint: true }).mtimeNs);
  }
  return times.size === TRIES;
}
