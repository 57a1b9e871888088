import type { Clock } from "../../base/clock.ts";
import { forEachParallel } from "../../base/for-each-parallel.ts";
import { type Disk, type Examined } from "../disk/disk.ts";
import { THREADS } from "../disk/file-threads.ts";
import { sliceMany } from "../disk/slice-many.ts";
import type { KeptHashes } from "./kept-hashes.ts";

/** A file that was looked at before its turn, and of which version it was known to be. */
export type ReadAhead = {
  readonly version: string | null;
  readonly readAtMs: number;
  readonly examined: Examined;
};

type Reading = {
  readonly disk: Disk;
  readonly clock: Clock;
  /** What an earlier command knew. */
  readonly hashes?: KeptHashes | undefined;
  /** What was read of a file since the last look, and of which version; undefined: nothing. */
  readonly recall?: ((path: string) => ReadAhead | undefined) | undefined;
  /** null: whatever is seen there, it is to be read. */
  readonly versionOf: (path: string) => string | null;
};

/** A look takes some microseconds, and most files are as they were. */
const SLICE = 500;

/** Looks at many files, and reads those that have changed, in threads: nothing is told of few, nor of what fails. */
export async function readAhead(
  paths: readonly string[],
  { disk: { bulk }, clock, hashes, recall, versionOf }: Reading,
): Promise<Map<string, ReadAhead>> {
  const ahead = new Map<string, ReadAhead>();
  if (bulk === undefined) return ahead;
  const all = paths.map((path) => {
    const known = versionOf(path);
    const read = recall?.(path);
    return {
      path,
      known,
      read,
      version: read?.version ?? known ?? hashes?.versionOf(path) ?? null,
    };
  });
  const toRead = all.filter(({ known }) => known === null).length;
  const least = toRead < bulk.few ? bulk.many : bulk.few;
  await forEachParallel(sliceMany(all, least, SLICE), THREADS + 1, async (files) => {
    const readAtMs = clock.now();
    const results = await bulk.examine(files);
    for (const [index, file] of files.entries()) {
      const result = results[index];
      if (result?.status !== "fulfilled") continue;
      const { value: examined } = result;
      if (examined.kind === "file") hashes?.note(file.path, examined, readAtMs);
      ahead.set(file.path, remember({ ...file, examined, readAtMs }, hashes));
    }
  });
  return ahead;
}

type Remembering = ReadAhead & {
  readonly path: string;
  /** The version that the scanner knows. */
  readonly known: string | null;
  readonly read: ReadAhead | undefined;
};

/** Of a file that is of the version that was named: what is known of it from elsewhere. */
function remember(
  { path, known, read, version, readAtMs, examined }: Remembering,
  hashes: KeptHashes | undefined,
): ReadAhead {
  if (examined.kind !== "same") return { version, readAtMs, examined };
  if (read !== undefined) return read;
  const recalled = known === null ? hashes?.recall(path) : undefined;
  return { version, readAtMs, examined: recalled ?? examined };
}
