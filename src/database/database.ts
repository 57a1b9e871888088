/**
 * An environment's PostgreSQL: its own server and data folder, made, forked, started, stopped, asked; and the one port
 * that leads to all. Its folders, each built on those before it: `place/`, where one lies and how it is set; `statements/`,
 * what is asked of one; `copy/`, of its files; `server/`, the programs and what runs; `fork/`; and `wire/`, the one port.
 */
import type { DatabaseRecord } from "../environment/environment.ts";
import type { DatabasePlace } from "../environment/places.ts";
import { findFamily, measureMemory } from "../process/process.ts";
import { hurrying } from "./copy/copy-behind.ts";
import { moveFolder } from "./copy/move.ts";
import { forkInto } from "./fork/fork.ts";
import type * as forks from "./fork/fork.ts";
import { adminOf, loginOfApp } from "./fork/source.ts";
import { buildStandby, dropStreams, readStreams } from "./fork/standby.ts";
import type * as standby from "./fork/standby.ts";
import { changing, untilCopied } from "./place/place-use.ts";
import * as programs from "./place/programs.ts";
import { APP_ROLE } from "./place/settings.ts";
import { createFromTemplate } from "./server/create.ts";
import type { WantedDatabase } from "./server/create.ts";
import {
  adoptPostmaster,
  findPostmaster,
  startPostmaster,
  stopPostmaster,
} from "./server/postmaster.ts";
import * as supply from "./server/supply.ts";
import { tidyFiles } from "./server/tidy-files.ts";
import * as bookkeeping from "./statements/bookkeeping.ts";
import { hasOpenWork as findOpenWork } from "./statements/busy.ts";
import { readCatalog } from "./statements/catalog.ts";
import * as counting from "./statements/census.ts";
import { withClient } from "./statements/client.ts";
import { createExtensions } from "./statements/extensions.ts";
import { runQuery } from "./statements/query.ts";
import type { QueryResult } from "./statements/query.ts";
import { measureDatabase as measure } from "./statements/size.ts";
import type { DatabaseSize } from "./statements/size.ts";
import * as wire from "./wire/wire-gateway.ts";

export type Postgres = programs.Postgres;
export type PostgresSupply = supply.Supply;

export type Stream = standby.Stream;

export type Database = { readonly place: DatabasePlace; readonly record: DatabaseRecord };

/** What the wire gateway needs of an environment. */
export type WireRoute = {
  /**
   * Resolves when the database accepts connections: with its socket, and the database that a client gets which
   * names none. @throws Problem
   */
  open(signal: AbortSignal): Promise<{ readonly socket: string; readonly database: string }>;
  /** A client did more than keep its connection. */
  touch(): void;
};

export type WireGateway = wire.WireGateway;

/** Every PostgreSQL that the databases of a home run on, each installed and prepared when it is first needed. */
export function supplyPostgres(options: supply.SupplyOptions): PostgresSupply {
  return new supply.Supply(options);
}

/** Makes a database in a folder that is not there yet, named after the app, and leaves it running. @throws `database_failed` */
export function createDatabase(
  postgres: Postgres,
  place: DatabasePlace,
  wanted: string | WantedDatabase,
): Promise<DatabaseRecord> {
  return createFromTemplate(postgres, place, wanted);
}

/**
 * Promotes a standby, or copies a database, awake or asleep, and leaves the copy running, emptied and masked as the
 * target says, and with passwords of its own.
 * @throws `database_failed`, `database_fork_failed`, `database_tablespaces`, `database_emptying_failed`, `mask_failed`
 */
export function forkDatabase(
  postgres: Pick<Postgres, "programs">,
  source: Database,
  target: forks.ForkTarget,
): Promise<forks.Fork> {
  return forkInto(postgres.programs, source, target);
}

/**
 * Copies a database that serves, at the least priority and not while anyone is `hurrying`, and leaves the copy
 * following it, to be promoted by a fork: nobody but we can connect to it.
 */
export function createStandby(
  postgres: Pick<Postgres, "programs">,
  source: Database,
  target: { readonly place: DatabasePlace; readonly signal: AbortSignal },
): Promise<void> {
  return buildStandby(source, target.place, { programs: postgres.programs, signal: target.signal });
}

/** What the source keeps for each of its standbys. @throws `database_unreachable` */
export function listStreams(source: Database): Promise<readonly Stream[]> {
  return readStreams(source);
}

/** Lets go of what it keeps for standbys that are gone. */
export function endStreams(source: Database, ids: readonly string[]): Promise<void> {
  return dropStreams(source, ids);
}

/** What its processes take, shared pages in parts; 0 where none runs. */
export async function findDatabaseMemory(place: DatabasePlace): Promise<number> {
  const pid = await findPostmaster(place);
  return pid === undefined ? 0 : measureMemory(await findFamily(pid));
}

/** Standbys are not copied while this work goes on. */
export function withoutCopyingBehind<T>(work: () => Promise<T>): Promise<T> {
  return hurrying(work);
}

/**
 * Creates extensions that the app's role may not create itself, where they are not there yet.
 * @throws `extension_missing`, `extension_refused`, `extension_failed`
 */
export function provideExtensions(database: Database, names: readonly string[]): Promise<void> {
  return createExtensions(database, names);
}

/** One that runs already is adopted. Resolves with its server's pid. @throws `database_failed` */
export function startDatabase(
  postgres: Pick<Postgres, "programs">,
  place: DatabasePlace,
): Promise<number> {
  return changing(place, async () => {
    const pid = await findPostmaster(place);
    if (pid !== undefined && (await adoptPostmaster(place, pid))) return pid;
    await untilCopied(place);
    return startPostmaster(postgres.programs, place);
  });
}

/** Of one that is stopped: it becomes the other place's, whose user is to run it, in one step. */
export function moveDatabase(from: DatabasePlace, to: DatabasePlace): Promise<void> {
  return moveFolder(from, to);
}

/** Ends sessions, writes a checkpoint, and resolves when no process is left. */
export function stopDatabase(place: DatabasePlace): Promise<void> {
  return changing(place, async () => {
    const pid = await findPostmaster(place);
    if (pid !== undefined) await stopPostmaster(pid);
  });
}

export type Census = counting.Census;
export type Bookkeeping = bookkeeping.Bookkeeping;

/** What migration tools have noted in it. `keys`: what the app's migration files are called, for a tool that no list names. */
export function readMigrations(
  database: Database,
  keys: ReadonlySet<string>,
): Promise<readonly Bookkeeping[]> {
  return withClient(loginOfApp(database), async (app) => {
    await app.query("SET search_path = pg_catalog");
    return bookkeeping.readBookkeeping(app, (await readCatalog(app)).tables, keys);
  });
}

/**
 * Mends, at rest, what reflinks and random writes have scattered over the disk: a fork would take long for it. Changes
 * nothing else, keeps nobody from starting the server, and is given up by the signal. Resolves with how many files it mended.
 */
export function tidyDatabase(place: DatabasePlace, signal: AbortSignal): Promise<number> {
  return tidyFiles(place, { signal });
}

export async function isDatabaseRunning(place: DatabasePlace): Promise<boolean> {
  return (await findPostmaster(place)) !== undefined;
}

/** The pid of its server, if it runs. */
export function findDatabase(place: DatabasePlace): Promise<number | undefined> {
  return findPostmaster(place);
}

/** Whether a statement runs or a transaction is open, other than our own. @throws `database_unreachable` */
export function hasOpenWork(database: Database): Promise<boolean> {
  return findOpenWork(adminOf(database));
}

/** How large it is, and how many are connected. @throws `database_unreachable` */
export function takeCensus(database: Database): Promise<Census> {
  return counting.takeCensus(adminOf(database), database.record.name);
}

/**
 * Runs SQL as the app's role; of several statements the last one's result, each value as PostgreSQL prints it.
 * @throws `sql_failed`, `too_many_rows`, `database_unreachable`, or the signal's reason
 */
export function queryDatabase(
  { place, record }: Database,
  sql: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<QueryResult> {
  const login = {
    socketFolder: place.socketFolder,
    user: APP_ROLE,
    password: record.appPassword,
    database: record.name,
    settings: "theirs",
    major: programs.majorOf(record.postgres.version),
  } as const;
  return runQuery(login, sql, options.signal);
}

/** What a running database takes up, table by table. @throws `database_unreachable`, `sql_failed` */
export function measureDatabase(database: Database): Promise<DatabaseSize> {
  return measure(loginOfApp(database));
}

/**
 * One TCP port for all databases, and a unix socket beside it: a client's user name says which.
 * @throws Error with the code `EADDRINUSE`
 */
export function openWireGateway(options: {
  readonly host: string;
  /** 0: any. */
  readonly port: number;
  /** There its unix socket is `.s.PGSQL.<port>`, for this user alone; absent: it has none. */
  readonly socketFolder?: string;
  /** A promise: who is there is not known yet. */
  find(user: string): WireRoute | undefined | Promise<WireRoute | undefined>;
  /** Folder for its TLS key pair. */
  readonly keys: string;
}): Promise<WireGateway> {
  return wire.openGateway(options);
}
