import { lchownSync } from "node:fs";
import path from "node:path";

import { hasErrorCode } from "../base/problem.ts";

export type Owner = { readonly uid: number; readonly gid: number };

/** Entries of a folder, links themselves and not what they lead to; what is not there is not missed. */
export function giveAll(names: readonly string[], folder: string, { uid, gid }: Owner): void {
  for (const name of names) {
    try {
      lchownSync(path.join(folder, name), uid, gid);
    } catch (error) {
      if (!hasErrorCode(error, "ENOENT")) throw error;
    }
  }
}
