/** A small file system of a test's own, in an image: root alone can mount one. */
import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, realpath, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

import { waitFor } from "../src/base/clock.ts";
import { messageOf } from "../src/base/problem.ts";

const run = promisify(execFile);

export type DiskType = "xfs" | "ext4" | "btrfs";
export type Disk = {
  /** Its root, which any user may pass through. */
  readonly folder: string;
  close(): Promise<void>;
};

const MAKE: Readonly<Record<DiskType, readonly [file: string, ...args: string[]]>> = {
  xfs: ["mkfs.xfs", "-q", "-m", "reflink=1"],
  ext4: ["mkfs.ext4", "-q", "-F"],
  btrfs: ["mkfs.btrfs", "-q"],
};
/** What has only just ended may hold it a moment longer. */
const UNMOUNT_LIMIT_MS = 20_000;

const LEAST_MEGABYTES = 400;
const obstacles = new Map<DiskType, Promise<string | undefined>>();

/** Why this machine can have no such disk, found by trying; undefined where it can. */
export async function findObstacle(type: DiskType): Promise<string | undefined> {
  const known = obstacles.get(type) ?? tryDisk(type);
  obstacles.set(type, known);
  return known;
}

async function tryDisk(type: DiskType): Promise<string | undefined> {
  if (process.platform !== "linux" || process.getuid?.() !== 0)
    return "only root on Linux can mount a disk";
  try {
    await (await openDisk(type, LEAST_MEGABYTES)).close();
    return undefined;
  } catch (error) {
    return `no ${type} can be mounted here: ${messageOf(error)}`;
  }
}

/** Whoever opens it has asked for obstacles before, and closes it. */
export async function openDisk(type: DiskType, megabytes: number): Promise<Disk> {
  const own = await realpath(await mkdtemp(path.join(tmpdir(), "ramet-disk-")));
  const [image, folder] = [path.join(own, "image"), path.join(own, "disk")];
  try {
    await chmod(own, 0o711);
    await writeFile(image, "");
    await truncate(image, megabytes * 2 ** 20);
    const [file, ...args] = MAKE[type];
    await run(file, [...args, image]);
    await mkdir(folder);
    await run("mount", ["-o", "loop", image, folder]);
    await chmod(folder, 0o711);
  } catch (error) {
    await rm(own, { recursive: true, force: true });
    throw error;
  }
  return {
    folder,
    close: async () => {
      await unmount(folder);
      await rm(own, { recursive: true, force: true });
    },
  };
}

async function unmount(folder: string): Promise<void> {
  let failure: unknown;
  const attempt = async (): Promise<true | undefined> => {
    try {
      await run("umount", [folder]);
      return true;
    } catch (error) {
      failure = error;
      return undefined;
    }
  };
  if ((await waitFor(attempt, { timeoutMs: UNMOUNT_LIMIT_MS, everyMs: 100 })) === undefined)
    throw failure;
}
