import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open, symlink } from "node:fs/promises";

import { hasErrorCode } from "../base/problem.ts";
import type { Entry } from "./core/tree.ts";
import { changedMeanwhile } from "./problems.ts";

/** Makes at `temporary`, where nothing stands, what the scan saw at `source`. @throws `sync_conflict` when it is not so any more */
export async function stage(source: string, temporary: string, entry: Entry): Promise<void> {
  if (entry.kind === "link") return symlink(entry.target, temporary);
  const from = await openSource(source);
  try {
    const to = await open(temporary, "wx", entry.executable ? 0o755 : 0o644);
    try {
      const hash = await copyHashing(from, to);
      await to.chmod(entry.executable ? 0o755 : 0o644);
      if (hash !== entry.hash) throw changedMeanwhile(source);
    } finally {
      await to.close();
    }
  } finally {
    await from.close();
  }
}

async function openSource(source: string): Promise<FileHandle> {
  try {
    return await open(source, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR", "ELOOP")) throw changedMeanwhile(source);
    throw error;
  }
}

async function copyHashing(from: FileHandle, handle: FileHandle): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of from.createReadStream({ autoClose: false })) {
    hash.update(chunk);
    await handle.writeFile(chunk);
  }
  return hash.digest("hex");
}
