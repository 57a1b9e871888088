import { closeSync, fstatSync, openSync, read, readSync, write, writeSync } from "node:fs";
import { constants, copyFile } from "node:fs/promises";
import { setImmediate as nextTurn } from "node:timers/promises";
import { promisify } from "node:util";

import { monotonicMs } from "../base/clock.ts";
import { hasErrorCode } from "../base/problem.ts";
import type { Pinned } from "./owned-files.ts";

/** What a file system that cannot clone, or not between these two places, answers. */
const NO_REFLINK = ["EXDEV", "ENOTSUP", "EOPNOTSUPP", "EINVAL", "ENOSYS", "ENOTTY", "EPERM"];
/** Below this a file is copied at once: handing it to a thread costs more than copying it. */
const SMALL_BYTES = 256 * 1024;
const CHUNK_BYTES = 1024 * 1024;
/** Small files are copied so long before others have their turn in the event loop. */
const TURN_MS = 2;

const readAsync = promisify(read);
const writeAsync = promisify(write);
const smallChunk = Buffer.allocUnsafe(SMALL_BYTES);
let turnBegan = 0;

/** Shares the file's blocks with a new one; false where the file system cannot. */
export async function reflinkFile(source: Pinned, target: string): Promise<boolean> {
  try {
    const { COPYFILE_EXCL, COPYFILE_FICLONE_FORCE } = constants;
    await copyFile(source.path, target, COPYFILE_EXCL | COPYFILE_FICLONE_FORCE);
    return true;
  } catch (error) {
    if (hasErrorCode(error, ...NO_REFLINK)) return false;
    throw error;
  }
}

/**
 * Copies the bytes that the file has now into a new one, or fewer when it shrinks meanwhile. Not by `fs.copyFile`:
 * that spins for ever, a thread lost, when the file is truncated while it is copied, as TRUNCATE and VACUUM do.
 */
export async function copyBytes(source: Pinned, target: string): Promise<void> {
  const { size } = fstatSync(source.fd);
  const fd = openSync(target, "wx", 0o600);
  try {
    if (size > SMALL_BYTES) await copyChunks(source.fd, fd, size);
    else copyAtOnce(source.fd, fd, size);
  } finally {
    closeSync(fd);
  }
  if (monotonicMs() - turnBegan < TURN_MS) return;
  await nextTurn();
  turnBegan = monotonicMs();
}

function copyAtOnce(source: number, target: number, size: number): void {
  for (let at = 0; at < size;) {
    const bytesRead = readSync(source, smallChunk, 0, size - at, at);
    if (bytesRead === 0) return;
    writeAllSync(target, smallChunk.subarray(0, bytesRead), at);
    at += bytesRead;
  }
}

function writeAllSync(target: number, bytes: Buffer, position: number): void {
  for (let done = 0; done < bytes.length;) {
    done += writeSync(target, bytes, done, bytes.length - done, position + done);
  }
}

async function copyChunks(source: number, target: number, size: number): Promise<void> {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  for (let at = 0; at < size;) {
    const most = Math.min(CHUNK_BYTES, size - at);
    const { bytesRead } = await readAsync(source, chunk, 0, most, at);
    if (bytesRead === 0) return;
    for (let done = 0; done < bytesRead;) {
      done += (await writeAsync(target, chunk, done, bytesRead - done, at + done)).bytesWritten;
    }
    at += bytesRead;
  }
}
