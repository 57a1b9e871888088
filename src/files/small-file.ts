import { constants } from "node:fs";
import { open } from "node:fs/promises";

import { hasErrorCode } from "../base/problem.ts";

const MAX_BYTES = 1024 * 1024;

/** A file of patterns; undefined when there is none that can be read, or it is larger than 1 MB. */
export async function readSmallFile(file: string): Promise<string | undefined> {
  try {
    // Without waiting: a named pipe would let its reader wait for ever.
    const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const { size } = await handle
        .stat()
        .then((stats) => (stats.isFile() ? stats : { size: Infinity }));
      return size <= MAX_BYTES ? await handle.readFile("utf8") : undefined;
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR", "EACCES", "ELOOP", "ENXIO")) return undefined;
    throw error;
  }
}
