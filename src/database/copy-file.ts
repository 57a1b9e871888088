import {
  closeSync,
  constants,
  copyFileSync,
  fstatSync,
  openSync,
  readSync,
  writeSync,
} from "node:fs";
import path from "node:path";

import { hasErrorCode, messageOf } from "../base/problem.ts";
import { createPace } from "./copy-pace.ts";
import type { Pace } from "./copy-pace.ts";
import { FileFlusher } from "./file-flusher.ts";
import { giveTo, pinFile } from "./owned-files.ts";
import type { Pinned } from "./owned-files.ts";

/** Files of one folder, to be copied into another; where it may be done by reflink, whether it is is known. */
export type CopyJob = {
  /** A pinned folder's path. */
  readonly folder: string;
  readonly names: readonly string[];
  readonly target: string;
  readonly uid: number | null;
  readonly reflinked: boolean;
};

/** What was copied of a job: those that are gone, or are no plain files, are left out. */
export type JobDone = {
  readonly files: number;
  readonly bytes: number;
  /** Of these: they are on the disk already. */
  readonly flushedBytes: number;
};

/** What crosses from one thread to another. */
export type JobAnswer =
  | { readonly done: JobDone }
  | { readonly failure: { readonly message: string; readonly code: string | null } };

/** What a file system that cannot clone, or not between these two places, answers. */
const NO_REFLINK = ["EXDEV", "ENOTSUP", "EOPNOTSUPP", "EINVAL", "ENOSYS", "ENOTTY", "EPERM"];
/** As `cp` does: for larger writes Linux looks for larger pages, and where memory is scattered that takes longer than the copy. */
const CHUNK_BYTES = 256 * 1024;

/** Of a thread for whose copies nobody waits. */
let pace: Pace | undefined;
let chunk: Buffer | undefined;

/** Does a job in a thread of its own, for another. */
export async function answerJob({
  flags,
  ...job
}: CopyJob & { flags: Int32Array | null }): Promise<JobAnswer> {
  try {
    if (flags !== null) pace ??= createPace(flags);
    return { done: await copyFiles(job) };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : null;
    return { failure: { message: messageOf(error), code } };
  }
}

/** Copies one file after another, for a thread that has nothing else to do; resolves when all are there. */
async function copyFiles({ folder, names, target, uid, reflinked }: CopyJob): Promise<JobDone> {
  let [files, bytes, flushedBytes] = [0, 0, 0];
  for (const name of names) {
    const file = pinFile(path.join(folder, name));
    if (file === undefined) continue;
    try {
      const copy = path.join(target, name);
      if (!reflinked || !reflinkFile(file, copy)) flushedBytes += await copyBytes(file, copy);
      giveTo(copy, uid);
      files += 1;
      bytes += fstatSync(file.fd).size;
    } finally {
      file.close();
    }
  }
  return { files, bytes, flushedBytes };
}

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
 * Copies the bytes that the file has now into a new one, or fewer when it shrinks meanwhile. Not by `fs.copyFile`:
 * that spins for ever, a thread lost, when the file is truncated while it is copied, as TRUNCATE and VACUUM do.
 * Resolves with how many of them are on the disk: a large file's, which are brought there while the next are copied.
 */
export async function copyBytes(source: Pinned, target: string): Promise<number> {
  const { size } = fstatSync(source.fd);
  const fd = openSync(target, "wx", 0o600);
  const flusher = new FileFlusher(fd);
  try {
    chunk ??= Buffer.allocUnsafe(CHUNK_BYTES);
    for (let at = 0; at < size;) {
      const bytesRead = readSync(source.fd, chunk, 0, Math.min(CHUNK_BYTES, size - at), at);
      if (bytesRead === 0) break;
      writeAll(fd, chunk.subarray(0, bytesRead), at);
      at += bytesRead;
      if (pace === undefined) await flusher.wrote(bytesRead);
      else pace(fd, bytesRead);
    }
    return await flusher.end();
  } finally {
    await flusher.settled();
    closeSync(fd);
  }
}

function writeAll(target: number, bytes: Buffer, position: number): void {
  for (let done = 0; done < bytes.length;) {
    done += writeSync(target, bytes, done, bytes.length - done, position + done);
  }
}
