import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { lstat, open, readlink } from "node:fs/promises";

import { hasErrorCode } from "../base/problem.ts";
import type { Entry } from "./core/tree.ts";
import { syncUnreadable } from "./problems.ts";

/** What stands at a path; undefined for nothing, a folder, and what is neither a file nor a link. */
export async function readEntry(file: string): Promise<Entry | undefined> {
  try {
    const stats = await lstat(file);
    if (stats.isSymbolicLink()) return { kind: "link", target: await readlink(file) };
    if (!stats.isFile()) return undefined;
    return { kind: "file", hash: await hashFile(file), executable: (stats.mode & 0o100) !== 0 };
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR", "ELOOP")) return undefined;
    if (hasErrorCode(error, "EACCES", "EPERM", "EIO"))
      throw syncUnreadable(file, "it may not be read");
    throw error;
  }
}

async function hashFile(file: string): Promise<string> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const hash = createHash("sha256");
    for await (const chunk of handle.createReadStream({ autoClose: false })) hash.update(chunk);
    return hash.digest("hex");
  } finally {
    await handle.close();
  }
}
