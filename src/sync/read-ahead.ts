import type { Clock } from "../base/clock.ts";
import { forEachParallel } from "../base/for-each-parallel.ts";
import { type Disk, inTree, type Seen } from "./disk.ts";
import { THREADS } from "./file-threads.ts";
import { sliceMany } from "./slice-many.ts";

/** A file as it was seen, and the hash of what was read of it then; null: it is as it is known to be. */
export type ReadAhead = {
  readonly seen: Seen;
  readonly readAtMs: number;
  readonly hash: string | null;
};

type Reading = {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly isKnown: (path: string, seen: Seen) => boolean;
};

type Seeing = { readonly path: string; readonly seen: Seen };

/** Looks at many files, and reads those that have changed, in threads: nothing is told of few, nor of what fails. */
export async function readAhead(
  paths: readonly string[],
  { disk, clock, isKnown }: Reading,
): Promise<Map<string, ReadAhead>> {
  const { bulk } = disk;
  const ahead = new Map<string, ReadAhead>();
  if (bulk === undefined || paths.length < bulk.few) return ahead;
  const changed: Seeing[] = [];
  for (const path of paths) {
    await disk.breathe();
    const seen = seeIfAllowed(disk, path);
    if (seen?.kind !== "file") continue;
    if (isKnown(path, seen)) ahead.set(path, { seen, readAtMs: 0, hash: null });
    else changed.push({ path, seen });
  }
  await forEachParallel(sliceMany(changed, bulk.few), THREADS + 1, async (slice) => {
    const readAtMs = clock.now();
    const hashes = await bulk.hash(slice.map(({ path }) => path));
    for (const [index, { path, seen }] of slice.entries()) {
      const hashed = hashes[index];
      if (hashed?.status === "fulfilled") ahead.set(path, { seen, readAtMs, hash: hashed.value });
    }
  });
  return ahead;
}

/** What fails here fails again when it is looked at in turn, and is told then. */
function seeIfAllowed(disk: Disk, path: string): Seen | undefined {
  try {
    return disk.see(inTree(path));
  } catch {
    // See above.
    return undefined;
  }
}
