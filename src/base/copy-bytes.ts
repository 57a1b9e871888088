import { constants, copyFileSync, fstatSync, readSync, writeSync } from "node:fs";

import type { Pinned } from "./pinned.ts";
import { hasErrorCode } from "./problem.ts";

/** Some bytes of a file, and where in it they are. They are good until the next are asked for. */
export type Piece = { readonly bytes: Buffer; readonly at: number };

/** What a file system that cannot clone, or not between these two places, answers. */
const NO_REFLINK = ["EXDEV", "ENOTSUP", "EOPNOTSUPP", "EINVAL", "ENOSYS", "ENOTTY", "EPERM"];
/** As `cp` does: for larger writes Linux looks for larger pages, and where memory is scattered that takes longer than the copy. */
const PIECE_BYTES = 256 * 1024;

let buffer: Buffer | undefined;

/** Shares the file's blocks with a new one; false where the file system cannot. */
export function reflinkFile(source: Pinned, target: string): boolean {
  try {
    const { COPYFILE_EXCL, COPYFILE_FICLONE_FORCE } = constants;
    copyFileSync(source.path, target, COPYFILE_EXCL | COPYFILE_FICLONE_FORCE);
    return true;
  } catch (error) {
    if (hasErrorCode(error, ...NO_REFLINK)) return false;
    throw error;
  }
}

/**
 * The bytes that the file has now, or fewer when it shrinks meanwhile. Not by `fs.copyFile`: that spins for ever, a
 * thread lost, when the file is truncated while it is copied, as TRUNCATE and VACUUM do.
 */
export function* readPieces({ fd }: Pinned): Generator<Piece> {
  const { size } = fstatSync(fd);
  buffer ??= Buffer.allocUnsafe(PIECE_BYTES);
  for (let at = 0; at < size;) {
    const bytesRead = readSync(fd, buffer, 0, Math.min(PIECE_BYTES, size - at), at);
    if (bytesRead === 0) return;
    yield { bytes: buffer.subarray(0, bytesRead), at };
    at += bytesRead;
  }
}

export function writePiece(fd: number, { bytes, at }: Piece): void {
  for (let done = 0; done < bytes.length;) {
    done += writeSync(fd, bytes, done, bytes.length - done, at + done);
  }
}
