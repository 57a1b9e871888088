import { constants } from "node:fs";
import { open, readdir } from "node:fs/promises";

/** Enough for any file that says how an app is run; what is cut off is not searched. */
const MAX_BYTES = 128 * 1024;
const MAX_ENTRIES = 2000;

/** The beginning of a text; undefined when it cannot be read. Detection looks at many files that need not be there. */
export async function findText(file: string): Promise<string | undefined> {
  try {
    // Not through a link, which may lead out of the app, and without waiting for whoever feeds a named pipe.
    const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
    const handle = await open(file, flags);
    try {
      if (!(await handle.stat()).isFile()) return undefined;
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(MAX_BYTES), 0, MAX_BYTES, 0);
      return buffer.toString("utf8", 0, bytesRead).replace(/^\uFEFF/, "");
    } finally {
      await handle.close();
    }
  } catch {
    // Whatever the reason, it is as if the file were not there: what is needed for sure is read elsewhere.
    return undefined;
  }
}

export type Entry = { readonly name: string; readonly isFolder: boolean };

/** What stands in a folder; nothing when it cannot be read. Links are neither files nor folders of the app. */
export async function listFolder(folder: string): Promise<readonly Entry[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .slice(0, MAX_ENTRIES)
      .map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() }));
  } catch {
    // The same: a folder that cannot be read holds nothing for us.
    return [];
  }
}
