import { realpathSync } from "node:fs";

import { hasErrorCode } from "../../base/problem.ts";
import { syncGone, syncUnreadable } from "./problems.ts";

/** Where a folder really is. @throws `sync_gone`, `sync_unreadable` */
export function realFolder(folder: string): string {
  return reachingFolder(folder, () => realpathSync.native(folder));
}

/** What comes in the way of reaching a folder is said of that folder. @throws as `realFolder` does */
export function reachingFolder<T>(folder: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR")) throw syncGone(folder);
    if (hasErrorCode(error, "EACCES", "EPERM")) throw syncUnreadable(folder, "it may not be read");
    throw error;
  }
}
