import { lstat, open, readFile, rmdir } from "node:fs/promises";
import path from "node:path";

import { waitFor } from "../base/clock.ts";
import { hasErrorCode } from "../base/problem.ts";
import { writeAtomically } from "../base/write-atomically.ts";
import { storageBusy } from "./problems.ts";
import { runStorageTool, tryTool } from "./tools.ts";

/** At the root of the image; the folder that it is mounted on has none. */
export const MARKER = ".ramet-storage";
/** What has only just ended may hold it a moment longer. */
const UNMOUNT_LIMIT_MS = 10_000;
const OPTIONS = "loop,noatime,nosuid,nodev";

export async function markRoot(folder: string, id: string): Promise<void> {
  await writeAtomically(path.join(folder, MARKER), id, { mode: 0o644 });
}

/** Whether the image of this id is what is seen here. One look at one file. */
export async function isMounted(folder: string, id: string): Promise<boolean> {
  try {
    return (await readFile(path.join(folder, MARKER), "utf8")) === id;
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR", "EACCES")) return false;
    throw error;
  }
}

/** Whether anything at all is mounted on the folder. */
export async function isMountPoint(folder: string): Promise<boolean> {
  try {
    const [own, above] = await Promise.all([lstat(folder), lstat(path.dirname(folder))]);
    return own.dev !== above.dev;
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR")) return false;
    throw error;
  }
}

/** The kernel frees the loop device with the mount. @throws `storage_failed`, `storage_tool_missing` */
export async function mountImage(image: string, folder: string): Promise<void> {
  await runStorageTool("be mounted", ["mount", "-t", "xfs", "-o", OPTIONS, image, folder]);
  const [device] = await listLoops(image);
  if (device === undefined) return;
  // Without it every byte is cached twice; a disk that cannot do it does without.
  await tryTool("losetup", ["--direct-io=on", device]);
  await forbidDiscard(device);
}

/** Not mounted any more when it resolves. @throws `storage_busy` */
export async function unmount(folder: string): Promise<void> {
  const done = await waitFor(
    async () => {
      if (!(await isMountPoint(folder))) return true;
      await tryTool("umount", [folder]);
      return (await isMountPoint(folder)) ? undefined : true;
    },
    { timeoutMs: UNMOUNT_LIMIT_MS, everyMs: 100 },
  );
  if (done === undefined) throw storageBusy(folder);
}

/** Takes it out of sight at once; the kernel lets go of it when its last user ends. */
export async function detach(folder: string): Promise<void> {
  if (await isMountPoint(folder)) await tryTool("umount", ["--lazy", folder]);
  for (const one of [folder, path.dirname(folder)]) await rmdir(one).catch(() => undefined); // Something else is in it, which is not ours to remove.
}

/** Tells device and file system, in use as they are, that the image has grown. */
export async function spreadOver(image: string, folder: string): Promise<void> {
  for (const device of await listLoops(image))
    await runStorageTool("be grown", ["losetup", "--set-capacity", device]);
  await runStorageTool("be grown", ["xfs_growfs", folder]);
}

async function listLoops(image: string): Promise<readonly string[]> {
  const { stdout } = await tryTool("losetup", ["-j", image, "-n", "-O", "NAME"]);
  return stdout.split("\n").flatMap((line) => (line.trim() === "" ? [] : [line.trim()]));
}

/** The weekly `fstrim` of many systems would make holes in the image where its file system is free. */
async function forbidDiscard(device: string): Promise<void> {
  const limit = `/sys/block/${path.basename(device)}/queue/discard_max_bytes`;
  const handle = await open(limit, "r+").catch(() => undefined); // An old kernel, or no sysfs: holes are filled at the next start.
  try {
    await handle?.write("0");
  } finally {
    await handle?.close();
  }
}
