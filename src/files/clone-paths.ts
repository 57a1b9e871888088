import path from "node:path";

import { exists } from "../base/remove-inside.ts";
import type { Listing } from "./git.ts";
import { isNeverListed } from "./ignore-rules.ts";
import { parseInnerPath } from "./place.ts";
import { pathOutside } from "./problems.ts";

/**
 * What the manifest's `files.clone` names in a tree, without a slash at the end. A name without a slash stands for
 * every ignored one of that name too, such as the `node_modules` of a workspace's packages.
 */
export async function findClonePaths(
  root: string,
  clone: readonly string[],
  { ignored }: Pick<Listing, "ignored">,
): Promise<readonly string[]> {
  const found = new Set<string>();
  for (const text of clone) {
    const name = parseInnerPath(text);
    if (isNeverListed(name)) throw pathOutside(text);
    if (await exists(path.join(root, name))) found.add(name);
    if (name.includes("/")) continue;
    for (const entry of ignored) {
      const inner = entry.replace(/\/$/, "");
      if (inner.endsWith(`/${name}`)) found.add(inner);
    }
  }
  return [...found].filter((name) => !isBelow(name, found));
}

/** Whether one of the folders holds the name. */
export function isBelow(name: string, folders: ReadonlySet<string>): boolean {
  let slash = name.lastIndexOf("/");
  while (slash > 0) {
    const parent = name.slice(0, slash);
    if (folders.has(parent)) return true;
    slash = parent.lastIndexOf("/");
  }
  return false;
}
