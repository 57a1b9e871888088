import { closeSync, constants, fstatSync, openSync } from "node:fs";

import { hasErrorCode } from "./problem.ts";

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
const IS_LINUX = process.platform === "linux";

/** An open file or folder, and a path by which the kernel finds this very one, whatever its name means by then. */
export type Pinned = { readonly fd: number; readonly path: string; close(): void };

/**
 * What belongs to an environment's own user may hold links and pipes that were planted where we, perhaps root,
 * read: so nothing there is opened through a link, and no pipe is waited for. undefined: it is gone, or no plain file.
 */
export function pinFile(file: string): Pinned | undefined {
  return pin(file, PLAIN_FILE, (fd) => fstatSync(fd).isFile());
}

/** undefined: it is gone, or no folder. */
export function pinFolder(folder: string): Pinned | undefined {
  return pin(folder, O_RDONLY | O_NOFOLLOW | O_DIRECTORY, () => true);
}

/** A descriptor of what may still turn out to be no file; undefined when it is gone, or a link. */
export function openPlain(file: string): number | undefined {
  return openIfThere(file, PLAIN_FILE);
}

const PLAIN_FILE = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;

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
