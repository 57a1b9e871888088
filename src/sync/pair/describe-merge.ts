import path from "node:path";

import type { Merged } from "./merge.ts";

const MOST_NAMED = 5;

/** What a merge did and left, a line each, for people. */
export function formatMerge(merged: Merged): readonly string[] {
  const { toLocal, toRemote, conflicts, revived, left, displaced } = merged;
  const remedy = "settle with `ramet push --force`, `ramet pull --force`, or `ramet dev --prefer`";
  return [
    ...about("→ environment", toRemote),
    ...about("← environment", toLocal),
    ...about("kept, because the other side had changed it", revived),
    ...about("✗ changed on both sides", conflicts, remedy),
    ...[...left.values()].map(({ message }) => `✗ ${message}`),
    ...(displaced === null
      ? []
      : [`what stood here before is kept: ramet trash restore ${path.basename(displaced)}`]),
  ];
}

function about(title: string, paths: readonly string[], remedy?: string): readonly string[] {
  if (paths.length === 0) return [];
  const named = paths.slice(0, MOST_NAMED).join(", ");
  const more = paths.length > MOST_NAMED ? ` and ${paths.length - MOST_NAMED} more` : "";
  return [`${title}: ${named}${more}${remedy === undefined ? "" : `; ${remedy}`}`];
}
