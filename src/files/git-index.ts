import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import path from "node:path";

import { hasErrorCode } from "../base/problem.ts";
import { readSmallFile } from "./small-file.ts";

/** More than half a million files. */
const MAX_BYTES = 64 * 1024 * 1024;

/** Stands for all that git tracks of a repository, or a worktree, by its top folder; null where nothing can be told. */
export async function hashIndex(folder: string): Promise<string | null> {
  const entry = path.join(folder, ".git");
  // In a worktree it is a file that names the folder.
  const named = /^gitdir: (.+)$/m.exec((await readSmallFile(entry)) ?? "")?.[1];
  const bytes = await readPlain(path.resolve(folder, named ?? entry, "index"));
  return bytes === null ? null : createHash("sha256").update(bytes).digest("base64");
}

async function readPlain(file: string): Promise<Uint8Array | null> {
  try {
    // Without waiting: a named pipe would let its reader wait for ever.
    const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stats = await handle.stat();
      return stats.isFile() && stats.size <= MAX_BYTES ? await handle.readFile() : null;
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR", "EACCES", "ELOOP", "ENXIO")) return null;
    throw error;
  }
}
