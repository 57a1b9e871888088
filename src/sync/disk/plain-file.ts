import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  openSync,
  readSync,
  writeSync,
} from "node:fs";

import { hasErrorCode } from "../../base/problem.ts";
import type { Range } from "./disk.ts";

export type Owner = { readonly uid: number; readonly gid: number };

const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
/** What is read at a time: most files at once. */
export const PART_BYTES = 1 << 20;
const ALL: Range = { offset: 0, size: Number.POSITIVE_INFINITY };

/** Each part in the memory that is given, until the next is asked for; nothing where no plain file stands. */
export function* readPlain(
  file: string,
  buffer: Buffer,
  { offset, size }: Range = ALL,
): Generator<Uint8Array> {
  const descriptor = openPlain(file);
  if (descriptor === undefined) return;
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) return;
    // What is added meanwhile is another change.
    const end = Math.min(stats.size, offset + size);
    for (let at = offset; at < end;) {
      const count = readSync(descriptor, buffer, 0, Math.min(end - at, buffer.length), at);
      if (count === 0) return;
      at += count;
      yield buffer.subarray(0, count);
    }
  } finally {
    closeSync(descriptor);
  }
}

/** A file that was not there. @param owner whose it becomes; null: ours. Resolves with a descriptor to write to */
export function createPlain(
  file: string,
  { executable, owner }: { readonly executable: boolean; readonly owner: Owner | null },
): number {
  const mode = executable ? 0o755 : 0o644;
  const descriptor = openSync(file, CREATE, mode);
  // Whatever the umask is.
  fchmodSync(descriptor, mode);
  if (owner !== null) fchownSync(descriptor, owner.uid, owner.gid);
  return descriptor;
}

/** A full disk writes less than it was given, and says nothing until the next time. */
export function writeWhole(descriptor: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;)
    done += writeSync(descriptor, bytes, done, bytes.length - done);
}

function openPlain(file: string): number | undefined {
  try {
    return openSync(file, READ);
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR", "ELOOP", "ENXIO")) return undefined;
    throw error;
  }
}
