import { statfs } from "node:fs/promises";
import os from "node:os";

/** How many standbys there may be, and when. */
export type StandbyLimits = {
  /** On this machine at once, of all apps; 0: none are made. */
  readonly most: number;
  /** Nobody makes or starts an environment for so long before one is built. */
  readonly calmMs: number;
  /** Also where a copy shares its blocks and a standby is no gain. */
  readonly always: boolean;
};

/** Each takes about 20 MB of memory while its source is awake. */
const MEMORY_EACH_BYTES = 2 * 1024 ** 3;
const MOST = 8;
const LEAST_FREE_MEMORY_BYTES = 512 * 1024 ** 2;
/** So many more of the same must fit on the disk beside it: it is for forks that write. */
const TIMES_ON_DISK = 2;
const LEAST_FREE_DISK_BYTES = 1024 ** 3;
const CALM_MS = 2_000;

/** One for every 2 GB of the machine's memory, at most 8. */
export function chooseStandbyLimits(): StandbyLimits {
  const most = Math.min(MOST, Math.max(1, Math.floor(os.totalmem() / MEMORY_EACH_BYTES)));
  return { most, calmMs: CALM_MS, always: false };
}

/** Whether a standby of so many bytes may lie in this folder. */
export async function hasRoom(
  folder: string,
  { bytes, isThere }: { readonly bytes: number; readonly isThere: boolean },
): Promise<boolean> {
  const { bavail, bsize } = await statfs(folder);
  return fits({ bytes, isThere, freeDisk: bavail * bsize, freeMemory: os.freemem() });
}

/** One that is there already costs no more, and yields only when what it takes would be missed. */
export function fits({
  bytes,
  isThere,
  freeDisk,
  freeMemory,
}: {
  readonly bytes: number;
  readonly isThere: boolean;
  readonly freeDisk: number;
  readonly freeMemory: number;
}): boolean {
  if (isThere) return freeDisk >= LEAST_FREE_DISK_BYTES;
  const left = freeDisk - bytes;
  if (freeMemory < LEAST_FREE_MEMORY_BYTES) return false;
  return left >= Math.max(LEAST_FREE_DISK_BYTES, TIMES_ON_DISK * bytes);
}
