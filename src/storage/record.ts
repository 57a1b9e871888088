import { chown, readFile, rm, stat } from "node:fs/promises";
import path from "node:path";

import { z } from "zod";

import { hasErrorCode, messageOf } from "../base/problem.ts";
import { syncFolder, writeAtomically } from "../base/write-atomically.ts";
import type { StoragePlace } from "./place.ts";
import { storageUnreadable } from "./problems.ts";

/**
 * How far it is. `filling`: the folders are copied into the image, and count where they were. `switching`: the image
 * counts, and is about to be mounted. `used`. `emptying`: they are copied out of it, and still count inside it.
 * `leaving`: the copy counts, and the image is about to go.
 */
export const STORAGE_STATES = ["filling", "switching", "used", "emptying", "leaving"] as const;
export type StorageState = (typeof STORAGE_STATES)[number];

export type StorageRecord = z.infer<typeof schema>;

const schema = z.object({
  /** Stands in the image as well: what is mounted is known by it. */
  id: z.string().regex(/^[0-9a-f]{16}$/),
  state: z.enum(STORAGE_STATES),
});

/** null: the home has no storage of its own. @throws `storage_unreadable`: a damaged record is never taken for none. */
export async function readRecord({ record }: StoragePlace): Promise<StorageRecord | null> {
  try {
    return schema.parse(JSON.parse(await readFile(record, "utf8")));
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR")) return null;
    throw storageUnreadable(record, messageOf(error));
  }
}

/** The home's owner can read it, whoever wrote it. */
export async function writeRecord(place: StoragePlace, record: StorageRecord): Promise<void> {
  await writeAtomically(place.record, `${JSON.stringify(record, undefined, 2)}\n`);
  const { uid, gid } = await stat(place.home);
  if (process.getuid?.() === 0) await chown(place.record, uid, gid);
}

export async function removeRecord({ record }: StoragePlace): Promise<void> {
  await rm(record, { force: true });
  await syncFolder(path.dirname(record));
}
