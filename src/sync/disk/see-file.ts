import { type BigIntStats, lstatSync } from "node:fs";

import type { Kind, Seen } from "./disk.ts";

const MS_PER_NS = 1_000_000n;

/** What can be told of a file without reading it; of a link itself. @param exact the device whose times are exact */
export function seeFile(file: string, exact: bigint | null): Seen | undefined {
  const stats = lstatSync(file, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? undefined : toSeen(stats, stats.dev === exact);
}

function toSeen(stats: BigIntStats, isExact: boolean): Seen {
  const { dev, ino, size, mode, mtimeNs, ctimeNs } = stats;
  const bytes = `${dev}:${ino}:${size}:${mtimeNs}`;
  return {
    kind: kindOf(stats),
    size: Number(size),
    executable: (mode & 0o100n) !== 0n,
    bytes,
    version: `${bytes}:${ctimeNs}:${mode}`,
    changedMs: Number((mtimeNs > ctimeNs ? mtimeNs : ctimeNs) / MS_PER_NS),
    isExact,
  };
}

export type Typed = { isFile(): boolean; isSymbolicLink(): boolean; isDirectory(): boolean };

export function kindOf(found: Typed): Kind {
  if (found.isFile()) return "file";
  if (found.isSymbolicLink()) return "link";
  return found.isDirectory() ? "folder" : "other";
}
