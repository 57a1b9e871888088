import type { Clock } from "../base/clock.ts";
import { forEachParallel } from "../base/for-each-parallel.ts";
import { type Disk, type Examined } from "./disk.ts";
import { THREADS } from "./file-threads.ts";
import { sliceMany } from "./slice-many.ts";

/** A file that was looked at before its turn, and of which version it was known to be. */
export type ReadAhead = {
  readonly version: string | null;
  readonly readAtMs: number;
  readonly examined: Examined;
};

type Reading = {
  readonly disk: Disk;
  readonly clock: Clock;
  /** null: whatever is seen there, it is to be read. */
  readonly versionOf: (path: string) => string | null;
};

/** A look takes some microseconds, and most files are as they were. */
const SLICE = 500;

/** Looks at many files, and reads those that have changed, in threads: nothing is told of few, nor of what fails. */
export async function readAhead(
  paths: readonly string[],
  { disk: { bulk }, clock, versionOf }: Reading,
): Promise<Map<string, ReadAhead>> {
  const ahead = new Map<string, ReadAhead>();
  if (bulk === undefined) return ahead;
  const all = paths.map((path) => ({ path, version: versionOf(path) }));
  const toRead = all.filter(({ version }) => version === null).length;
  const least = toRead < bulk.few ? bulk.many : bulk.few;
  await forEachParallel(sliceMany(all, least, SLICE), THREADS + 1, async (files) => {
    const readAtMs = clock.now();
    const results = await bulk.examine(files);
    for (const [index, { path, version }] of files.entries()) {
      const result = results[index];
      if (result?.status === "fulfilled")
        ahead.set(path, { version, readAtMs, examined: result.value });
    }
  });
  return ahead;
}
