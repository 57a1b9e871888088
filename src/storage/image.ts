import { chmod, mkdir, stat, statfs, truncate } from "node:fs/promises";
import path from "node:path";

import { diskFull } from "../base/disk-full.ts";
import { exists } from "../base/remove-inside.ts";
import { syncFolder } from "../base/write-atomically.ts";
import type { StoragePlace } from "./place.ts";
import { runStorageTool, tryTool } from "./tools.ts";

/** Below this XFS refuses to be made, or has hardly any room beside its own journal. */
export const LEAST_BYTES = 400 * 2 ** 20;

/**
 * Makes the file and the file system in it. Every byte is allocated at once: an image with holes on a disk that has become
 * full loses writes that were acknowledged. @throws `disk_full`, `storage_failed`
 */
export async function makeImage(
  { folder, image, filling }: StoragePlace,
  bytes: number,
  signal: AbortSignal,
): Promise<void> {
  await mkdir(folder, { mode: 0o711 });
  await mkdir(filling, { mode: 0o711 });
  await allocate(image, bytes);
  await chmod(image, 0o600);
  await runStorageTool("be made", ["mkfs.xfs", "-q", "-K", "-m", "reflink=1", image], { signal });
}

/** The file alone; its file system is told by whoever has mounted it. @throws `disk_full`: then it is as it was. */
export async function growImage({ image, folder }: StoragePlace, bytes: number): Promise<void> {
  const { size } = await stat(image);
  try {
    await allocate(image, bytes);
  } catch (error) {
    await truncate(image, size);
    throw error;
  }
  await syncFolder(folder);
}

/** Whether no byte of it depends on what room the disk has left. Holes are filled, where that is possible. */
export async function isWhole({ image }: StoragePlace): Promise<boolean> {
  const { size, blocks } = await stat(image);
  if (blocks * 512 >= size) return true;
  return (await tryTool("fallocate", ["-l", String(size), image])).exitCode === 0;
}

/** Asked before it is tried: a disk that is filled to its last byte, though only for a moment, makes others fail. */
async function allocate(image: string, bytes: number): Promise<void> {
  const there = (await exists(image)) ? (await stat(image)).blocks * 512 : 0;
  const { bavail, bsize } = await statfs(path.dirname(image));
  if (bytes - there > bavail * bsize) throw diskFull(path.dirname(image));
  const { exitCode, stderr } = await tryTool("fallocate", ["-l", String(bytes), image]);
  if (/No space left|Disk quota/.test(stderr)) throw diskFull(path.dirname(image));
  if (exitCode !== 0)
    await runStorageTool("be allocated", ["fallocate", "-l", String(bytes), image]);
}
