import { rm } from "node:fs/promises";
import path from "node:path";

import type { Client } from "pg";

import { allDone } from "../../base/all-done.ts";
import { waitFor } from "../../base/clock.ts";
import { messageOf } from "../../base/problem.ts";
import { traced } from "../../base/trace.ts";
import type { DatabasePlace } from "../../environment/places.ts";
import { writeSettings } from "../place/place-files.ts";
import { changing } from "../place/place-use.ts";
import { tablespacesRefused } from "../place/problems.ts";
import type { Programs } from "../place/programs.ts";
import type { Passwords } from "../place/roles.ts";
import { admitOthers, giveOwnPasswords, prepareOpening } from "../server/opening.ts";
import { findPostmaster, startPostmaster } from "../server/postmaster.ts";
import { inPassing } from "../statements/client.ts";
import { LIST_TABLESPACES } from "./backup.ts";
import { adminOf, COUNT_UNLOGGED } from "./source.ts";
import type { Source } from "./source.ts";
import { hasStream, STANDBY_SETTINGS } from "./standby.ts";

export type PromotionOptions = {
  readonly programs: Programs;
  /** Those that it is to have. */
  readonly passwords: Passwords;
  /** Called when nothing of it can be read that opens the source, and what is left to do waits for the disk rather than for a processor. */
  readonly onNear: () => void;
};

/** One that follows is milliseconds behind; to wait for longer than a copy of a gigabyte takes is no use. */
const CATCH_UP_LIMIT_MS = 3_000;
/** It writes where its own history begins, and flushes it. */
const PROMOTION_LIMIT_MS = 30_000;
const STEP_MS = 2;

export type Promotion =
  /** The app's role can connect. */
  | { readonly isDone: true; readonly unlogged: number }
  /** The standby is of no use any more. */
  | { readonly isDone: false; readonly why: string };

/** Makes a server of its own from a standby: with all that was committed in the source when this was called. */
export async function promoteStandby(
  source: Source,
  place: DatabasePlace,
  options: PromotionOptions,
): Promise<Promotion> {
  try {
    return await promote(source, place, options);
  } catch (error) {
    return failed(`could not be promoted (${messageOf(error)})`);
  }
}

function failed(why: string): Promotion {
  return { isDone: false, why: `the standby ${why}` };
}

async function promote(
  source: Source,
  place: DatabasePlace,
  { programs, passwords, onNear }: PromotionOptions,
): Promise<Promotion> {
  const ahead = allDone([
    traced("end of the source's WAL", async () => findEnd(source, place)),
    traced("what comes after", async () => prepareOpening(place, passwords)),
    // Until now it had its source's.
    writeSettings(place, programs.major),
  ]);
  const settled = Promise.allSettled([ahead]);
  try {
    await wakeStandby(programs, place);
    // It goes on reading: what is in the file is known to it, and opens the source to whoever else can read it.
    await rm(path.join(place.folder, STANDBY_SETTINGS));
    return await inPassing(adminOf({ place, record: source.record }), async (admin) => {
      const [end, opening] = await ahead;
      if (end === undefined) return failed("had lost its source");
      const isThere = await traced("standby catches up", async () => untilReplayed(admin, end.lsn));
      if (!isThere) return failed("was behind");
      await traced("promotion", async () => untilPromoted(admin, onNear));
      await giveOwnPasswords(admin, opening);
      await admitOthers(admin, opening);
      return { isDone: true, unlogged: end.unlogged };
    });
  } finally {
    await settled;
  }
}

/** One of a source that slept sleeps as well. */
async function wakeStandby(programs: Programs, place: DatabasePlace): Promise<void> {
  await changing(place, async () => {
    if ((await findPostmaster(place)) === undefined) await startPostmaster(programs, place);
  });
}

/** How far whoever is to be no older than a moment must have read, and what will be empty in it. */
type End = { readonly lsn: string; readonly unlogged: number };

type Found = End & {
  /** Whether something was committed that did not wait for the disk. */
  readonly isAhead: boolean;
  readonly hasStream: boolean;
  readonly tablespaces: readonly string[];
};

/** undefined: this standby reads from another. In one question: a busy machine takes its time for each. */
async function findEnd(source: Source, { id }: DatabasePlace): Promise<End | undefined> {
  return inPassing(adminOf(source, source.record.name), async (admin) => {
    const { rows } = await admin.query<Found>(
      `SELECT pg_current_wal_insert_lsn()::text AS lsn,
        pg_current_wal_insert_lsn() > pg_current_wal_flush_lsn() AS "isAhead",
        ${hasStream(id)} AS "hasStream", ${COUNT_UNLOGGED} AS unlogged, ${LIST_TABLESPACES} AS tablespaces`,
    );
    const [found] = rows;
    if (found === undefined || !found.hasStream) return undefined;
    if (found.tablespaces.length > 0) throw tablespacesRefused(found.tablespaces);
    if (found.isAhead) await flushWal(admin);
    return found;
  });
}

/** Brings to the disk what was written before, and so to the standby. */
async function flushWal(admin: Client): Promise<void> {
  await admin.query(
    "SET synchronous_commit = on; SELECT pg_logical_emit_message(true, 'ramet', '')",
  );
}

async function untilReplayed(admin: Client, lsn: string): Promise<boolean> {
  const isThere = async (): Promise<true | undefined> => {
    const { rows } = await admin.query<{ done: boolean | null }>(
      "SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn AS done",
      [lsn],
    );
    return rows[0]?.done === true ? true : undefined;
  };
  const limits = { timeoutMs: CATCH_UP_LIMIT_MS, everyMs: STEP_MS };
  return (await waitFor(isThere, limits)) ?? false;
}

/** Not by `pg_promote(true)`, which looks every 100 ms. */
async function untilPromoted(admin: Client, onBegun: () => void): Promise<void> {
  await admin.query("SELECT pg_promote(false)");
  onBegun();
  const isPromoted = async (): Promise<true | undefined> => {
    const { rows } = await admin.query<{ standby: boolean }>(
      "SELECT pg_is_in_recovery() AS standby",
    );
    return rows[0]?.standby === false ? true : undefined;
  };
  const limits = { timeoutMs: PROMOTION_LIMIT_MS, everyMs: STEP_MS };
  if ((await waitFor(isPromoted, limits)) === undefined) throw new Error("it stayed a standby");
}
