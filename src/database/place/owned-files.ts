import { closeSync, fstatSync, lchownSync, openSync, readSync, writeFileSync } from "node:fs";

import { openPlain } from "../../base/pinned.ts";

/** The first bytes of a small file; undefined when it is gone, or no plain file. */
export function readSmallFile(file: string, most = 64 * 1024): Buffer | undefined {
  const fd = openPlain(file);
  if (fd === undefined) return undefined;
  try {
    if (!fstatSync(fd).isFile()) return undefined;
    const buffer = Buffer.alloc(most);
    return buffer.subarray(0, readSync(fd, buffer, 0, most, 0));
  } finally {
    closeSync(fd);
  }
}

/** A file that was not there, with these bytes; whoever needs it durable flushes the folder. */
export function writeNewFile(file: string, bytes: string | Uint8Array, mode = 0o600): void {
  const fd = openSync(file, "wx", mode);
  try {
    writeFileSync(fd, bytes);
  } finally {
    closeSync(fd);
  }
}

/** Gives a file, or the link itself, to an environment's user and the group of the same number. */
export function giveTo(file: string, uid: number | null): void {
  if (uid !== null) lchownSync(file, uid, uid);
}
