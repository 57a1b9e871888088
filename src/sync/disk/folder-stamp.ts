import { createHash } from "node:crypto";

import { isLeftOut } from "../core/left-out.ts";
import { isPlainName } from "../core/paths.ts";
import type { Listed } from "./disk.ts";

/**
 * The same for a folder that holds the same names, and the same versions of what may be part of the tree; of the folders
 * in it by their names alone. @param versionOf null: whatever it is, it counts by its name
 */
export function stampFolder(
  all: readonly Listed[],
  versionOf: (name: string) => string | null,
): string {
  const lines = all.map(({ name, kind }) => {
    if (!mayBePart(name)) return name;
    return kind === "folder" ? `${name}/` : `${name}/${kind} ${versionOf(name) ?? ""}`;
  });
  return createHash("sha256").update(lines.toSorted().join("\0")).digest("base64");
}

/** Whether its name leaves it out of no tree. */
export function mayBePart(name: string): boolean {
  return !isLeftOut(name) && isPlainName(name);
}
