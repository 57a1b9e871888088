import { randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import path from "node:path";

import type { Client } from "pg";

import { pinFolder } from "../../base/pinned.ts";
import { hasErrorCode } from "../../base/problem.ts";
import { traced } from "../../base/trace.ts";
import { copyFolder, copyPlainFile } from "../copy/copy-folder.ts";
import type { Copied } from "../copy/copy-folder.ts";
import { isEmptyForm, isLeftOutOfBackup } from "../place/data-folder.ts";
import { giveTo, readSmallFile, writeNewFile } from "../place/owned-files.ts";
import { sourceLost, tablespacesRefused } from "../place/problems.ts";
import { quoteText } from "../place/sql.ts";

const CONTROL = path.join("global", "pg_control");
/** A write of it takes microseconds; a copy that caught one halfway is taken again. */
const CONTROL_TRIES = 20;
const MAX_CONTROL_BYTES = 8192;

/** How a backup is begun, under a name, and ended. */
const CALLS = {
  start: (name: string) => `pg_backup_start(${name}, fast => true)`,
  stop: "pg_backup_stop(wait_for_archive => false)",
};
const CALLS_BEFORE_15 = {
  start: (name: string) => `pg_start_backup(${name}, fast => true, exclusive => false)`,
  stop: "pg_stop_backup(exclusive => false, wait_for_archive => false)",
};

export type BackupOptions = {
  readonly source: string;
  /** An empty folder that nobody but us can enter. */
  readonly target: string;
  readonly uid: number | null;
  /** Of the server. */
  readonly major: number;
  /** See `CopyOptions`. */
  readonly behind?: AbortSignal;
};

export type Backup = {
  readonly copied: Copied;
  /** Whether relations were left out that are not in the WAL. */
  readonly hasUnlogged: boolean;
};

/**
 * Copies the data folder of a server that keeps serving. The session must end with the backup: slot and backup mode
 * end with it, however that comes about. @throws `database_tablespaces`, `database_fork_failed`
 */
export async function backUp(admin: Client, options: BackupOptions): Promise<Backup> {
  await refuseTablespaces(admin);
  const calls = options.major >= 15 ? CALLS : CALLS_BEFORE_15;
  const name = quoteText(`ramet_${randomBytes(8).toString("hex")}`);
  // Without the slot, checkpoints of forks beside this one recycle the segments that this one needs.
  await traced("slot", async () =>
    admin.query(`SELECT pg_create_physical_replication_slot(${name}, true, true)`),
  );
  await traced("checkpoint of the source", async () => admin.query(`SELECT ${calls.start(name)}`));
  const { source, target } = options;
  let hasUnlogged = false;
  const skip = (entry: string, beside: ReadonlySet<string>): boolean => {
    hasUnlogged ||= isEmptyForm(entry);
    return isLeftOutOfBackup(entry, beside);
  };
  const copied = await traced("files of the database", async () =>
    copyFolder(source, target, { ...options, skip }),
  );
  copyControl(options);
  const end = await traced("end of the backup", async () => stopBackup(admin, calls.stop));
  writeLabel(options, end.label);
  await traced("WAL", async () => copySegments(options, { ...end, reflinked: copied.reflinked }));
  await reuseWal(admin);
  return { copied, hasUnlogged };
}

/**
 * From its next checkpoint on the source makes new WAL files of old ones. After a checkpoint, which each fork begins with,
 * PostgreSQL writes pages to the WAL whole: busy clients fill a file with every hundred transactions, and wait for the four
 * flushes of a new one. Copies have their own settings, in which it is off: old files would keep what a mask is to remove.
 */
async function reuseWal(admin: Client): Promise<void> {
  const { rows } = await admin.query<{ reuses: boolean }>(
    "SELECT current_setting('wal_recycle')::bool AS reuses",
  );
  if (rows[0]?.reuses === true) return;
  await admin.query("ALTER SYSTEM SET wal_recycle = on");
  await admin.query("SELECT pg_reload_conf()");
}

type BackupEnd = { readonly label: string; readonly first: string; readonly last: string };

/** SQL of the names of what lies outside the data folder. */
export const LIST_TABLESPACES =
  "ARRAY(SELECT spcname::text FROM pg_tablespace WHERE spcname NOT IN ('pg_default', 'pg_global'))";

/** What lies outside a data folder is not copied with it. @throws `database_tablespaces` */
async function refuseTablespaces(admin: Client): Promise<void> {
  const { rows } = await admin.query<{ names: string[] }>(`SELECT ${LIST_TABLESPACES} AS names`);
  const names = rows[0]?.names ?? [];
  if (names.length > 0) throw tablespacesRefused(names);
}

/** The server's own record of itself; what is copied must be one state of it, so it is read until two reads agree. */
function copyControl({ source, target, uid }: BackupOptions): void {
  const read = (): Buffer | undefined =>
    readSmallFile(path.join(source, CONTROL), MAX_CONTROL_BYTES);
  let before = read();
  for (let tries = 0; tries < CONTROL_TRIES; tries += 1) {
    const after = read();
    if (before !== undefined && after?.equals(before) === true) {
      writeNewFile(path.join(target, CONTROL), after);
      giveTo(path.join(target, CONTROL), uid);
      return;
    }
    before = after;
  }
  throw sourceLost("its pg_control never stood still");
}

async function stopBackup(admin: Client, call: string): Promise<BackupEnd> {
  const { rows } = await admin.query<{ labelfile: string; spcmapfile: string; last: string }>(
    `SELECT labelfile, spcmapfile, pg_walfile_name(lsn) AS last FROM ${call}`,
  );
  const [end] = rows;
  const first = /^START WAL LOCATION: .*\(file ([0-9A-F]{24})\)/m.exec(end?.labelfile ?? "")?.[1];
  if (end === undefined || first === undefined)
    throw sourceLost("it ended the backup without a label");
  if (end.spcmapfile.trim() !== "") throw tablespacesRefused(["that was just created"]);
  return { label: end.labelfile, first, last: end.last };
}

/** It makes the copy recover from where the backup began. */
function writeLabel({ target, uid }: BackupOptions, label: string): void {
  const file = path.join(target, "backup_label");
  writeNewFile(file, label);
  giveTo(file, uid);
}

/**
 * The WAL from the backup's start to its end; names of one timeline sort as their places do. And how that timeline came
 * to be, which its standbys ask for.
 */
async function copySegments(
  { source, target, uid }: BackupOptions,
  { first, last, reflinked }: BackupEnd & { readonly reflinked: boolean },
): Promise<void> {
  const folder = pinFolder(path.join(source, "pg_wal"));
  if (folder === undefined) throw sourceLost("its pg_wal is gone");
  try {
    const isNeeded = (name: string): boolean =>
      (/^[0-9A-F]{24}$/.test(name) && name >= first && name <= last) ||
      /^[0-9A-F]{8}\.history$/.test(name);
    const names = (await readdir(folder.path)).filter(isNeeded);
    for (const name of names) {
      const copy = path.join(target, "pg_wal", name);
      const isThere = await copyPlainFile(path.join(folder.path, name), copy, { uid, reflinked });
      if (!isThere) throw sourceLost(`its WAL segment ${name} is gone`);
    }
    if (!names.includes(first)) throw sourceLost(`its WAL segment ${first} is gone`);
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) throw sourceLost("its pg_wal is gone");
    throw error;
  } finally {
    folder.close();
  }
}
