import { readdirSync } from "node:fs";

import type { StampedFolder } from "./disk.ts";
import { stampFolder } from "./folder-stamp.ts";
import type { PinnedFolders } from "./pinned-folders.ts";
import { kindOf, seeFile } from "./see-file.ts";

export type SurveyedTree = {
  /** Its real path. */
  readonly root: string;
  readonly folders: PinnedFolders;
};

/**
 * Whether a folder holds what was stamped. Its names come from the folder itself, whatever its own name leads to by now;
 * what stands at them is looked at by the whole path, in half the time. A link may lead that astray, but if the same is
 * seen it is the same file, by its number and the time of its last change.
 */
export function isAsStamped({ path, stamp, left }: StampedFolder, tree: SurveyedTree): boolean {
  const folder = tree.folders.find(path);
  if (folder === undefined) return false;
  const listed = readdirSync(folder, { withFileTypes: true });
  const all = listed.map((entry) => ({ name: entry.name, kind: kindOf(entry) }));
  const isLeft = new Set(left);
  const way = path === "" ? tree.root : `${tree.root}/${path}`;
  const versionOf = (name: string): string | null =>
    isLeft.has(name) ? null : (seeFile(`${way}/${name}`, null)?.version ?? null);
  return stampFolder(all, versionOf) === stamp;
}
