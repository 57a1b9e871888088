import { chmod, chown, mkdir, rename, rmdir, stat } from "node:fs/promises";
import path from "node:path";

import { Problem } from "../base/problem.ts";
import { exists, removeInside } from "../base/remove-inside.ts";
import { syncFolder } from "../base/write-atomically.ts";
import { isMounted, isMountPoint, mountImage, unmount } from "./mounting.ts";
import type { StoragePlace } from "./place.ts";
import { storageUnmounted } from "./problems.ts";
import { readRecord, removeRecord, writeRecord } from "./record.ts";
import type { StorageRecord, StorageState } from "./record.ts";

/** Called between the steps that a crash may fall between; tests end the program there. */
export type Checkpoint = (step: string) => Promise<void> | void;

/**
 * Brings a home's storage from whatever state it was left in, by a crash or a restart of the machine, to one of two:
 * none, or mounted. What counts is never touched before its copy counts. @throws `storage_unmounted`, `storage_unreadable`
 */
export async function settle(
  place: StoragePlace,
  checkpoint: Checkpoint = () => undefined,
): Promise<StorageRecord | null> {
  const record = await readRecord(place);
  if (record === null) return null;
  if (process.getuid?.() !== 0) return settleAsUser(place, record);
  try {
    return await SETTLERS[record.state](place, record, checkpoint);
  } catch (error) {
    const isOther = error instanceof Problem && error.code !== "storage_unmounted";
    throw isOther ? storageUnmounted(place.home, error.message.replace(/\.$/, "")) : error;
  }
}

/** What was begun is taken back: the folders count where they were. */
export async function clearFilling(place: StoragePlace): Promise<null> {
  await unmount(place.filling);
  await removeInside(path.dirname(place.folder), place.folder);
  await removeRecord(place);
  return null;
}

type Settler = (
  place: StoragePlace,
  record: StorageRecord,
  checkpoint: Checkpoint,
) => Promise<StorageRecord | null>;

const SETTLERS: Readonly<Record<StorageState, Settler>> = {
  filling: clearFilling,
  switching: finishSwitch,
  used: mountAgain,
  emptying: backToUsed,
  leaving: finishLeaving,
};

/** Nobody but root can mount; and what is not finished does not hurt where what counts can be reached. */
async function settleAsUser(
  place: StoragePlace,
  record: StorageRecord,
): Promise<StorageRecord | null> {
  if (record.state === "filling") return null;
  const isThere = record.state !== "leaving" && (await isMounted(place.data, record.id));
  if (!isThere) throw storageUnmounted(place.home, "only root can mount it");
  return record;
}

async function finishSwitch(
  place: StoragePlace,
  record: StorageRecord,
  checkpoint: Checkpoint,
): Promise<StorageRecord> {
  if (!(await isMounted(place.data, record.id))) {
    if (!(await exists(place.before))) await rename(place.data, place.before);
    await checkpoint("moved aside");
    await makeMountPoint(place);
    await checkpoint("mount point");
    await mountImage(place.image, place.data);
    await assertMounted(place, record);
  }
  await checkpoint("mounted");
  return mountAgain(place, await enter(place, record, "used"), checkpoint);
}

async function mountAgain(
  place: StoragePlace,
  record: StorageRecord,
  checkpoint: Checkpoint,
): Promise<StorageRecord> {
  if (!(await isMounted(place.data, record.id))) {
    if (await isMountPoint(place.data))
      throw storageUnmounted(place.home, "another file system is mounted in its place");
    await mkdir(place.data, { recursive: true });
    await mountImage(place.image, place.data);
    await assertMounted(place, record);
  }
  await checkpoint("before clearing");
  await removeInside(path.dirname(place.before), place.before);
  return record;
}

async function backToUsed(
  place: StoragePlace,
  record: StorageRecord,
  checkpoint: Checkpoint,
): Promise<StorageRecord> {
  await removeInside(path.dirname(place.after), place.after);
  return mountAgain(place, await enter(place, record, "used"), checkpoint);
}

async function finishLeaving(
  place: StoragePlace,
  record: StorageRecord,
  checkpoint: Checkpoint,
): Promise<null> {
  if (await isMounted(place.data, record.id)) await unmount(place.data);
  await checkpoint("unmounted");
  if (await exists(place.after)) {
    // Only an empty folder goes: the one that the image was mounted on.
    if (await exists(place.data)) await rmdir(place.data);
    await checkpoint("no mount point");
    await rename(place.after, place.data);
    await syncFolder(path.dirname(place.data));
  }
  await checkpoint("moved back");
  await removeInside(path.dirname(place.folder), place.folder);
  await checkpoint("image removed");
  await removeRecord(place);
  return null;
}

/** Of the same owner and mode as the folder that it stands in for. */
async function makeMountPoint({ data, before }: StoragePlace): Promise<void> {
  await mkdir(data, { recursive: true });
  const { mode, uid, gid } = await stat(before);
  await chown(data, uid, gid);
  await chmod(data, mode & 0o7777);
  await syncFolder(path.dirname(data));
}

async function assertMounted(place: StoragePlace, { id }: StorageRecord): Promise<void> {
  if (await isMounted(place.data, id)) return;
  await unmount(place.data);
  throw storageUnmounted(place.home, "the image holds something else");
}

async function enter(
  place: StoragePlace,
  record: StorageRecord,
  state: StorageState,
): Promise<StorageRecord> {
  const entered = { ...record, state };
  await writeRecord(place, entered);
  return entered;
}
