import { statfs } from "node:fs/promises";

import { diskFull } from "../../base/disk-full.ts";

/** A server that finds no room for its WAL crashes: a fork must not take the last of it from its source. */
const RESERVE_BYTES = 64 * 2 ** 20;

/** Asked before a fork begins. @throws `disk_full` */
export async function assertRoom(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < bytes + RESERVE_BYTES) throw diskFull(folder);
}
