import {
  closeSync,
  constants,
  fstatSync,
  lchownSync,
  openSync,
  readSync,
  writeFileSync,
} from "node:fs";

import { hasErrorCode } from "../base/problem.ts";

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
const IS_LINUX = process.platform === "linux";

/** An open file or folder, and a path by which the kernel finds this very one, whatever its name means by then. */
export type Pinned = { readonly fd: number; readonly path: string; close(): void };

/**
 * The data folder belongs to the environment's own user, who may plant links and pipes where we, perhaps root,
 * read: so nothing there is opened through a link, and no pipe is waited for. undefined: it is gone, or no plain file.
 */
export function pinFile(file: string): Pinned | undefined {
  return pin(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, (fd) => fstatSync(fd).isFile());
}

/** undefined: it is gone, or no folder. */
export function pinFolder(folder: string): Pinned | undefined {
  return pin(folder, O_RDONLY | O_NOFOLLOW | O_DIRECTORY, () => true);
}

/** The first bytes of a small file; undefined when it is gone, or no plain file. */
export function readSmallFile(file: string, most = 64 * 1024): Buffer | undefined {
  const fd = openIfThere(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
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

function pin(file: string, flags: number, accept: (fd: number) => boolean): Pinned | undefined {
  const fd = openIfThere(file, flags);
  if (fd === undefined) return undefined;
  if (!accept(fd)) {
    closeSync(fd);
    return undefined;
  }
  return { fd, path: IS_LINUX ? `/proc/self/fd/${fd}` : file, close: () => closeSync(fd) };
}

function openIfThere(file: string, flags: number): number | undefined {
  try {
    return openSync(file, flags);
  } catch (error) {
    // ELOOP and ENOTDIR: a link, or no folder; ENXIO: a socket.
    if (hasErrorCode(error, "ENOENT", "ELOOP", "ENOTDIR", "ENXIO", "EMLINK")) return undefined;
    throw error;
  }
}
