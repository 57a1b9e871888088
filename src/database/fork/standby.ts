import path from "node:path";

import type { Client } from "pg";

import { waitFor } from "../../base/clock.ts";
import type { DatabasePlace } from "../../environment/places.ts";
import { chooseSyncMethod } from "../copy/flush.ts";
import { giveTo, writeNewFile } from "../place/owned-files.ts";
import { openAccess, writeFirstSettings } from "../place/place-files.ts";
import { takingTurns } from "../place/place-use.ts";
import { databaseFailed } from "../place/problems.ts";
import type { Programs } from "../place/programs.ts";
import { formatStandby } from "../place/settings.ts";
import { quoteText } from "../place/sql.ts";
import { inNewFolder } from "../server/new-server.ts";
import { startPostmaster } from "../server/postmaster.ts";
import { withClient } from "../statements/client.ts";
import { backUp } from "./backup.ts";
import type { Backup } from "./backup.ts";
import { adminOf } from "./source.ts";
import type { Source } from "./source.ts";

/** What a source keeps for one standby. */
export type Stream = {
  readonly id: string;
  /** Whether the standby reads now. */
  readonly isActive: boolean;
  /** False: the source has thrown away WAL that the standby had not read. */
  readonly isWhole: boolean;
  readonly walBytes: number;
};

/** Written by the superuser alone; it holds the password by which the source is reached. */
export const STANDBY_SETTINGS = "postgresql.auto.conf";
const STANDBY_SIGNAL = "standby.signal";
const SLOTS = "ramet_standby_";
/** It reads what was written while it was copied. */
const FOLLOW_LIMIT_MS = 120_000;
const FOLLOW_STEP_MS = 20;

export type BuildOptions = { readonly programs: Programs; readonly signal: AbortSignal };

/**
 * Copies a source that serves, behind all other copies, and leaves the copy following it: as its superuser alone can
 * see. Where that fails, its slot stays in the source until `dropStreams`.
 */
export async function buildStandby(
  source: Source,
  place: DatabasePlace,
  { programs, signal }: BuildOptions,
): Promise<void> {
  const { uid } = place;
  await inNewFolder(place, async () => {
    const copy = async (admin: Client): Promise<Backup> => {
      await openStream(source, place, admin);
      const folders = { source: source.place.folder, target: place.folder };
      return backUp(admin, { ...folders, uid, major: programs.major, behind: signal });
    };
    const { copied } = await takingTurns(source.place, async () =>
      withClient(adminOf(source), copy, signal),
    );
    writeStandbyFiles(source, place, programs);
    const syncMethod = await chooseSyncMethod(copied);
    signal.throwIfAborted();
    await startPostmaster(programs, place, { syncMethod, signal });
    await untilFollowing(source, place, signal);
  });
}

/** The streams of all standbys that this source has, or had. */
export async function readStreams(source: Source): Promise<readonly Stream[]> {
  return withClient(adminOf(source), async (admin) => {
    const { rows } = await admin.query<Stream>(
      `SELECT substr(slot_name, ${SLOTS.length + 1}) AS id, active AS "isActive",
        coalesce(wal_status IN ('reserved', 'extended'), false) AS "isWhole",
        greatest(0, coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0))::float8 AS "walBytes"
      FROM pg_replication_slots WHERE starts_with(slot_name, ${quoteText(SLOTS)}) ORDER BY 1`,
    );
    return rows;
  });
}

/** Ends streams whose standby is gone. One that is being read still is left, for the next time. */
export async function dropStreams(source: Source, ids: readonly string[]): Promise<void> {
  await withClient(adminOf(source), async (admin) =>
    admin.query(
      "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active AND slot_name = ANY($1)",
      [ids.map(slotOf)],
    ),
  );
}

/** SQL of whether the source has the slot from which this standby reads: it is the very folder that the standby is a copy of. */
export function hasStream(id: string): string {
  return `EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = ${quoteText(slotOf(id))} AND wal_status <> 'lost')`;
}

async function openStream(source: Source, { id }: DatabasePlace, admin: Client): Promise<void> {
  // A source that was made by an earlier version does not know of streams.
  await openAccess(source.place);
  await admin.query("SELECT pg_reload_conf()");
  await admin.query(`SELECT pg_create_physical_replication_slot(${quoteText(slotOf(id))}, true)`);
}

function writeStandbyFiles(
  { place: from, record }: Source,
  place: DatabasePlace,
  { major }: Programs,
): void {
  const { adminPassword } = record;
  const { socketFolder } = from;
  const settings = formatStandby({
    socketFolder,
    adminPassword,
    slot: slotOf(place.id),
    name: place.id,
  });
  writeFirstSettings(place, major);
  for (const [name, text] of [
    [STANDBY_SETTINGS, settings],
    [STANDBY_SIGNAL, ""],
  ] as const) {
    writeNewFile(path.join(place.folder, name), text);
    giveTo(path.join(place.folder, name), place.uid);
  }
  giveTo(place.folder, place.uid);
}

async function untilFollowing(
  source: Source,
  place: DatabasePlace,
  signal: AbortSignal,
): Promise<void> {
  const isFollowing = async (): Promise<true | undefined> => {
    const streams = await readStreams(source);
    return streams.some(({ id, isActive }) => id === place.id && isActive) ? true : undefined;
  };
  const following = await waitFor(isFollowing, {
    timeoutMs: FOLLOW_LIMIT_MS,
    everyMs: FOLLOW_STEP_MS,
    signal,
  });
  if (following === undefined) throw databaseFailed("follow its source", []);
}

function slotOf(id: string): string {
  return `${SLOTS}${id}`;
}
