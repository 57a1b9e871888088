import { readdir } from "node:fs/promises";
import path from "node:path";

import { pinFolder } from "../../base/pinned.ts";
import { Problem, messageOf } from "../../base/problem.ts";
import { traced } from "../../base/trace.ts";
import type { DatabaseFork, DatabaseRecord } from "../../environment/environment.ts";
import type { DatabasePlace } from "../../environment/places.ts";
import { copyFolder, describeCopy, forecastCopy } from "../copy/copy-folder.ts";
import type { Copied } from "../copy/copy-folder.ts";
import { prepareThreads } from "../copy/copy-threads.ts";
import { chooseSyncMethod, flushDataFolder } from "../copy/flush.ts";
import { isLeftOut } from "../place/data-folder.ts";
import { changing, copyingAtRest, takingTurns } from "../place/place-use.ts";
import { databaseFailed, isSourceLost, sourceLost, tablespacesRefused } from "../place/problems.ts";
import { majorOf } from "../place/programs.ts";
import type { Programs } from "../place/programs.ts";
import { createPasswords } from "../place/roles.ts";
import type { Passwords } from "../place/roles.ts";
import { assertRoom } from "../place/room.ts";
import { inNewFolder, orNothing, removeDatabase, startFirst } from "../server/new-server.ts";
import { findPostmaster } from "../server/postmaster.ts";
import { isSqlError, withClient } from "../statements/client.ts";
import { type Backup, backUp } from "./backup.ts";
import { closeRecord, openFork } from "./fork-policy.ts";
import type { ForkPolicy } from "./fork-policy.ts";
import { promoteStandby } from "./promotion.ts";
import type { Promotion } from "./promotion.ts";
import { adminOf, countUnlogged } from "./source.ts";
import type { Source } from "./source.ts";

export type ForkTarget = Partial<ForkPolicy> & {
  readonly place: DatabasePlace;
  /** SQL that changes the rows before anyone can connect. */
  readonly maskSql: string | null;
  /** Those that it is to have; otherwise new ones. */
  readonly passwords?: Passwords;
  /** Whether a standby of the source waits at this place, or none does though there are to be some. */
  readonly standby?: "ready" | "missed" | null;
  /** Called when what is left to do takes seconds at most, with the record as it will be. */
  readonly onNear?: (record: DatabaseRecord) => void;
};
export type Fork = {
  readonly record: DatabaseRecord;
  readonly fork: DatabaseFork;
  readonly detail: string;
};

/**
 * Promotes a standby of the source, or copies it, served or at rest; leaves the fork running, with passwords of its
 * own and as its policy says.
 */
export async function forkInto(
  programs: Programs,
  source: Source,
  target: ForkTarget,
): Promise<Fork> {
  const { place, standby = null, passwords = createPasswords() } = target;
  const { appPassword, adminPassword } = passwords;
  const record = { ...source.record, appPassword, adminPassword };
  const closed = closeRecord(record, target);
  const forking = { programs, source, target, record, closed };
  await assertRoom(path.dirname(source.place.folder), 0);
  const made = await explaining(async () => {
    const promoted = standby === "ready" ? await promoteInto(forking) : NOT_READY;
    const { fork, detail } = promoted.isDone
      ? { fork: PROMOTED, detail: `promoted a standby${describeUnlogged(promoted.unlogged)}` }
      : await onceMore(async () => copyInto(forking, standby === null ? null : promoted.why));
    const done = await orNothing(place, async () =>
      openFork({ place, record: closed }, record, target),
    );
    return { fork, detail: [detail, ...done].join("; ") };
  });
  return { record, ...made };
}

type Forking = {
  readonly programs: Programs;
  readonly source: Source;
  readonly target: ForkTarget;
  readonly record: DatabaseRecord;
  /** As its server is opened: nobody has these passwords until the fork is as its policy says. */
  readonly closed: DatabaseRecord;
};

const NOT_READY = { isDone: false, why: "no standby was ready" } as const;
const PROMOTED = { way: "standby", bytes: null, missed: null } as const;

/** What could not be promoted is removed. */
async function promoteInto(forking: Forking): Promise<Promotion> {
  const { programs, source, target, record, closed } = forking;
  const { place, onNear } = target;
  const options = { programs, passwords: closed, onNear: () => onNear?.(record) };
  const promotion = await promoteStandby(source, place, options);
  if (!promotion.isDone) await removeDatabase(place);
  return promotion;
}

/** Tells a person of a server that ended under our hands. */
async function explaining<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isLostConnection(error)
      ? databaseFailed("stay up while it was forked", [messageOf(error)])
      : error;
  }
}

/**
 * A source that ended while it was copied is copied as it is then, at rest or started again; and a copy whose server
 * ended is made anew. Twice is a problem.
 */
async function onceMore<T>(copy: () => Promise<T>): Promise<T> {
  try {
    return await copy();
  } catch (error) {
    if (!isSourceLost(error) && !isLostConnection(error)) throw error;
    return copy();
  }
}

/** Resolves with how; `missed`: why it is no promotion, of which nothing is said where a copy costs nothing. */
async function copyInto(
  { programs, source, target, record, closed }: Forking,
  missed: string | null,
): Promise<Omit<Fork, "record">> {
  const { place, onNear } = target;
  prepareThreads();
  return inNewFolder(place, async () => {
    const { isQuick, bytes } = await forecastCopy(source.place.folder, place.folder);
    await assertRoom(place.folder, bytes);
    if (isQuick) onNear?.(record);
    const { copied, unlogged, isAtRest } = await traced("copy of the database", async () =>
      copySource(source, place),
    );
    onNear?.(record);
    const syncMethod = await chooseSyncMethod(copied);
    // A server that finds a clean shutdown flushes nothing: it trusts that the last one did.
    if (isAtRest)
      await traced("flush", async () => flushDataFolder(programs, place.folder, syncMethod));
    await startFirst(place, {
      programs,
      passwords: closed,
      adminPassword: source.record.adminPassword,
      syncMethod,
      prepare: async () => {},
    });
    const reason = missed === null || copied.reflinked ? "" : `: ${missed}`;
    return {
      fork: {
        way: copied.reflinked ? "reflink" : "copy",
        bytes: copied.bytes,
        missed: copied.reflinked ? null : missed,
      },
      detail: describeCopy(copied) + reason + describeUnlogged(unlogged),
    };
  });
}

function describeUnlogged(tables: number): string {
  return tables === 0 ? "" : `; unlogged tables are empty: ${tables}`;
}

type SourceCopy = {
  readonly copied: Copied;
  /** Tables whose rows do not come along. */
  readonly unlogged: number;
  readonly isAtRest: boolean;
};

/** A source that crashed is copied at rest, WAL and all: the copy recovers as the source would. */
async function copySource(source: Source, target: DatabasePlace): Promise<SourceCopy> {
  const atRest = await changing(source.place, async () => {
    if ((await findPostmaster(source.place)) !== undefined) return undefined;
    // Boxed: only its beginning is waited for here.
    return { copied: copyingAtRest(source.place, copyAtRest(source.place, target)) };
  });
  if (atRest !== undefined) return { copied: await atRest.copied, unlogged: 0, isAtRest: true };
  return takingTurns(source.place, async () => {
    const { copied, hasUnlogged } = await copyLive(source, target);
    const unlogged = hasUnlogged ? await countEmptied(source) : 0;
    return { copied, unlogged, isAtRest: false };
  });
}

async function copyAtRest(source: DatabasePlace, target: DatabasePlace): Promise<Copied> {
  const tablespaces = pinFolder(path.join(source.folder, "pg_tblspc"));
  try {
    const names = tablespaces === undefined ? [] : await readdir(tablespaces.path);
    if (names.length > 0) throw tablespacesRefused(names);
  } finally {
    tablespaces?.close();
  }
  return copyFolder(source.folder, target.folder, { skip: isLeftOut, uid: target.uid });
}

async function copyLive(source: Source, target: DatabasePlace): Promise<Backup> {
  try {
    return await withClient(adminOf(source), async (admin) =>
      backUp(admin, {
        source: source.place.folder,
        target: target.folder,
        uid: target.uid,
        major: majorOf(source.record.postgres.version),
      }),
    );
  } catch (error) {
    if (isSqlError(error) || isLostConnection(error)) throw sourceLost(messageOf(error));
    throw error;
  }
}

/** For people; none where the app dropped its database meanwhile. */
async function countEmptied(source: Source): Promise<number> {
  return withClient(adminOf(source, source.record.name), countUnlogged).catch(() => 0);
}

/** Said by a session in its last words: its server is told to end, crashed, or was killed without it. */
const LAST_WORDS = ["57P01", "57P02"];

/** `pg` gives a lost connection no code. */
function isLostConnection(error: unknown): boolean {
  if (isSqlError(error)) return LAST_WORDS.includes(error.code);
  return (
    !(error instanceof Problem) &&
    /^Connection terminated|not queryable|^Query read timeout|ECONNRESET|EPIPE/.test(
      messageOf(error),
    )
  );
}
