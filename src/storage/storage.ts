/** A home's own file system with reflinks, in an image that its environments' folders are mounted from: made, grown, mounted again, removed. */
import { randomBytes } from "node:crypto";
import { mkdir, stat, statfs } from "node:fs/promises";
import path from "node:path";

import { canReflink } from "../base/can-reflink.ts";
import { diskFull } from "../base/disk-full.ts";
import { exists, removeInside } from "../base/remove-inside.ts";
import { growImage, isWhole, LEAST_BYTES, makeImage } from "./image.ts";
import { detach, isMounted, markRoot, mountImage, spreadOver, unmount } from "./mounting.ts";
import { assertSame, copyContents, measureContents } from "./moving.ts";
import type { MoveOptions } from "./moving.ts";
import { findPlace, placeIn } from "./place.ts";
import type { StoragePlace } from "./place.ts";
import {
  rootNeeded,
  storageMissing,
  storageNeedless,
  storageTooSmall,
  storageUnmounted,
  storageUnsupported,
} from "./problems.ts";
import { readRecord, writeRecord } from "./record.ts";
import type { StorageRecord } from "./record.ts";
import { formatRootCommand } from "./root-command.ts";
import { clearFilling, settle } from "./settle.ts";
import type { Checkpoint } from "./settle.ts";
import { requireTools } from "./tools.ts";

/** A home's storage as it is shown. */
export type Storage = {
  readonly home: string;
  readonly image: string;
  readonly folder: string;
  readonly mounted: boolean;
  /** Of the image; what of it is used and free is known while it is mounted. */
  readonly bytes: number;
  readonly usedBytes: number | null;
  readonly freeBytes: number | null;
};

export type OpenStorage = {
  /** One look at one file. @throws `storage_unmounted` */
  assertMounted(): Promise<void>;
  /** The server is stopped for good: nothing of the storage is in use. @throws `storage_busy` */
  close(): Promise<void>;
  /** The home was removed, and what ran in it is about to end. */
  abandon(): Promise<void>;
};

export type StorageWork = MoveOptions & { readonly checkpoint?: Checkpoint };

/** Unless `--size` says otherwise, and where so much is free. */
const DEFAULT_BYTES = 50e9;
/** Of what is free on the disk; the rest is the disk's own. */
const DEFAULT_SHARE = 0.6;
/** XFS's journal and tables. */
const OVERHEAD_BYTES = 150e6;
const OVERHEAD_SHARE = 1.05;

/**
 * For a server that starts, before it looks at any environment: the storage is mounted again, and what a crash interrupted
 * is finished or taken back. @throws `storage_unmounted`, `storage_unreadable`
 */
export async function openStorage(home: string, shared: string): Promise<OpenStorage> {
  const place = placeIn(home, shared);
  const record = await settle(place);
  if (record !== null && process.getuid?.() === 0) await isWhole(place);
  return {
    assertMounted: async () => {
      if (record === null || (await isMounted(place.data, record.id))) return;
      throw storageUnmounted(home, "it was unmounted while the server ran");
    },
    close: async () => {
      if (record !== null && process.getuid?.() === 0) await unmount(place.data);
    },
    abandon: async () => {
      if (record !== null && process.getuid?.() === 0) await detach(place.data);
    },
  };
}

/** How root does something about a home's storage: what `create` and the like are called with. */
export function formatCommand(home: string, command: string): string {
  return formatRootCommand(home, command);
}

/** null: the home has none. */
export async function findStorage(home: string): Promise<Storage | null> {
  const place = await findPlace(home);
  const record = await readRecord(place);
  if (record === null || record.state === "filling") return null;
  const mounted = await isMounted(place.data, record.id);
  const space = mounted ? await statfs(place.data) : null;
  return {
    home,
    image: place.image,
    folder: place.data,
    mounted,
    bytes: (await exists(place.image)) ? (await stat(place.image)).size : 0,
    usedBytes: space === null ? null : (space.blocks - space.bfree) * space.bsize,
    freeBytes: space === null ? null : space.bavail * space.bsize,
  };
}

/**
 * Whether it can be made here, before anything is stopped for it.
 * @throws `storage_unsupported`, `root_needed`, `storage_tool_missing`, `storage_needless`
 */
export async function assertPossible(home: string, command: string): Promise<void> {
  if (process.platform !== "linux") throw storageUnsupported("it takes Linux's loop devices");
  if (process.getuid?.() !== 0) throw rootNeeded(home, command);
  await requireTools();
  const place = await findPlace(home);
  const isNew = (await readRecord(place)) === null;
  if (command === "create" && isNew && (await exists(place.data)) && (await canReflink(place.data)))
    throw storageNeedless(place.data);
}

/**
 * Makes it and moves the environments into it; mounts the one that there is. Nobody may use them meanwhile.
 * Stopped at any instant, by whatever, they are where they were, or moved.
 * @throws `storage_too_small`, `disk_full`, `storage_failed`
 */
export async function createStorage(
  home: string,
  size: number | null,
  work: StorageWork,
): Promise<void> {
  const place = await findPlace(home);
  if ((await settle(place)) !== null) return;
  await mkdir(place.data, { recursive: true, mode: 0o711 });
  const bytes = await chooseSize(place, size);
  const record = { id: randomBytes(8).toString("hex"), state: "filling" } as const;
  await writeRecord(place, record);
  try {
    await fill(place, { bytes, id: record.id }, work);
  } catch (error) {
    await clearFilling(place);
    throw error;
  }
  await writeRecord(place, { ...record, state: "switching" });
  await work.checkpoint?.("filled");
  work.tell("switching over");
  await settle(place, work.checkpoint);
}

/** While environments use it. @throws `storage_missing`, `storage_too_small`, `disk_full` */
export async function growStorage(home: string, bytes: number): Promise<void> {
  const { place } = await requireUsed(home);
  const { size } = await stat(place.image);
  if (bytes < size) throw storageTooSmall(bytes, size);
  await growImage(place, bytes);
  await spreadOver(place.image, place.data);
}

/** Moves the environments out of it and removes it; like `createStorage`. @throws `storage_missing`, `disk_full` */
export async function removeStorage(home: string, work: StorageWork): Promise<void> {
  await settle(await findPlace(home));
  const { place, record } = await requireUsed(home);
  const { bavail, bsize } = await statfs(place.folder);
  if ((await measureContents(place.data)) > bavail * bsize) throw diskFull(place.folder);
  await writeRecord(place, { ...record, state: "emptying" });
  try {
    await empty(place, record, work);
  } catch (error) {
    await settle(place);
    throw error;
  }
  await writeRecord(place, { ...record, state: "leaving" });
  await work.checkpoint?.("emptied");
  await settle(place, work.checkpoint);
}

async function chooseSize(place: StoragePlace, size: number | null): Promise<number> {
  const needed = (await measureContents(place.data)) * OVERHEAD_SHARE + OVERHEAD_BYTES;
  const least = Math.max(LEAST_BYTES, Math.ceil(needed));
  const { bavail, bsize } = await statfs(path.dirname(place.folder));
  const bytes = size ?? Math.floor(Math.min(DEFAULT_BYTES, bavail * bsize * DEFAULT_SHARE));
  if (bytes >= least) return bytes;
  throw size === null ? diskFull(path.dirname(place.folder)) : storageTooSmall(bytes, least);
}

async function fill(
  place: StoragePlace,
  { bytes, id }: { readonly bytes: number; readonly id: string },
  work: StorageWork,
): Promise<void> {
  work.tell("making the image");
  await makeImage(place, bytes, work.signal);
  await work.checkpoint?.("image");
  await mountImage(place.image, place.filling);
  await work.checkpoint?.("filling mounted");
  await copyContents(place.data, place.filling, work);
  await assertSame(place.data, place.filling, work);
  await markRoot(place.filling, id);
  await work.checkpoint?.("copied");
  await unmount(place.filling);
  work.signal.throwIfAborted();
}

async function empty(place: StoragePlace, { id }: StorageRecord, work: StorageWork): Promise<void> {
  await removeInside(path.dirname(place.after), place.after);
  await mkdir(place.after);
  await copyContents(place.data, place.after, work);
  await assertSame(place.data, place.after, work);
  await work.checkpoint?.("copied back");
  work.signal.throwIfAborted();
  if (await isMounted(place.data, id)) await unmount(place.data);
}

async function requireUsed(
  home: string,
): Promise<{ readonly place: StoragePlace; readonly record: StorageRecord }> {
  const place = await findPlace(home);
  const record = await readRecord(place);
  if (record === null || record.state === "filling") throw storageMissing(home);
  if (!(await isMounted(place.data, record.id)))
    throw storageUnmounted(home, "it is to be mounted before");
  return { place, record };
}
