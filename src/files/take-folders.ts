import path from "node:path";

import { removeInside } from "../base/remove-inside.ts";
import type { ProcessUser } from "../process/process.ts";
import { findClonePaths } from "./clone-paths.ts";
import { copyEntry } from "./copy-entry.ts";
import { listIgnored } from "./list-tree.ts";
import { openPair } from "./open-pair.ts";

export type Taking = {
  readonly source: string;
  readonly target: string;
  /** A name stands for all of that name that git ignores. */
  readonly name: string;
  readonly user: ProcessUser | null;
};

/** Puts copies of the source's folders in the place of the target's. False: not all could be copied. */
export async function takeFolders({ source, target, name, user }: Taking): Promise<boolean> {
  const names = await findClonePaths(source, [name], await listIgnored(source));
  const pair = await openPair(source, target);
  for (const inner of names) {
    await removeInside(target, path.join(target, inner));
    if ((await copyEntry(pair, inner, { user })) !== "copied") return false;
  }
  return names.length > 0;
}
