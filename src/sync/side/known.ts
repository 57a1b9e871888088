import { leadsInside } from "../core/paths.ts";
import type { Entry } from "../core/tree.ts";
import type { Seen } from "../disk/disk.ts";

/** What stands at a path, as it was last read. */
export type Known = {
  readonly entry: Entry;
  /** Of what was seen there, as `Seen` has them. */
  readonly bytes: string;
  readonly version: string;
  /** Whether it was read so soon after a change that another would not show. */
  readonly isRacy: boolean;
};

/** A new name changes its version, and neither its bytes nor whether it can be run. */
export function isStill({ entry, bytes }: Known, seen: Seen | undefined): boolean {
  const isFileAsIs = entry.kind !== "file" || seen?.executable === entry.executable;
  return seen?.bytes === bytes && isFileAsIs;
}

export function withoutOutside(path: string, entry: Entry | undefined): Entry | undefined {
  return entry?.kind === "link" && !leadsInside(path, entry.target) ? undefined : entry;
}
