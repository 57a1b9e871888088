/** For this room's tests: a home with PostgreSQL in it, places for databases, and an end that leaves nothing. */
import { randomBytes, randomInt } from "node:crypto";
import { mkdir, mkdtemp, chmod } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

import type { Client } from "pg";

import { waitFor } from "../base/clock.ts";
import { removeInside } from "../base/remove-inside.ts";
import { isEnvironmentId } from "../environment/environment.ts";
import { DEFAULT_LIMITS } from "../environment/manifest.ts";
import { MARK_VARIABLE, formatMark } from "../environment/places.ts";
import type { DatabasePlace } from "../environment/places.ts";
import { endMarked, findMarked } from "../process/process.ts";
import { stopDatabase, supplyPostgres } from "./database.ts";
import type { Database, Postgres } from "./database.ts";
import { majorOf } from "./place/programs.ts";
import { adminLogin, withClient } from "./statements/client.ts";

export const IS_ROOT = process.getuid?.() === 0;

export type TestHome = {
  readonly folder: string;
  readonly postgres: Postgres;
  /** One that nothing lies in yet. */
  createPlace(): Promise<DatabasePlace>;
  /** Stops every server and removes all. @throws Error when a process was left all the same */
  close(): Promise<void>;
};

/** A folder that other users can pass through, as a server's home is where root runs it. */
export async function createTestFolder(below = os.tmpdir()): Promise<string> {
  const folder = await mkdtemp(path.join(below, "rdb-"));
  await chmod(folder, 0o711);
  return folder;
}

/** `bin`: the folder of the PostgreSQL to be tested; otherwise it is the one that comes with Ramet. `below`: the disk. */
export async function openTestHome(
  options: { readonly bin?: string; readonly below?: string } = {},
): Promise<TestHome> {
  const { below = os.tmpdir() } = options;
  const folder = await createTestFolder(below);
  const places: DatabasePlace[] = [];
  let count = 0;
  const homeId = `test-${randomBytes(6).toString("hex")}`;
  const supply = supplyPostgres({
    folder: path.join(folder, "bin"),
    templates: path.join(folder, "templates"),
    uid: null,
    bin: options.bin ?? null,
  });
  const postgres = await supply.forNew();
  return {
    folder,
    postgres,
    createPlace: async () => {
      count += 1;
      const place = await createPlace(folder, homeId, count);
      places.push(place);
      return place;
    },
    close: async () => {
      for (const place of places) await stopDatabase(place);
      const left = (await findMarked(MARK_VARIABLE, `${homeId}.`)).map(({ mark }) => mark);
      for (const mark of left) await endMarked(MARK_VARIABLE, mark, { graceMs: 0 });
      await removeInside(below, folder);
      if (left.length > 0) throw new Error(`Processes were left: ${left.join(", ")}`);
    },
  };
}

/** Works as superuser in one of the server's databases. */
export async function asAdmin<T>(
  { place, record }: Database,
  work: (admin: Client) => Promise<T>,
  database = "postgres",
): Promise<T> {
  const { socketFolder } = place;
  const { adminPassword: password, postgres } = record;
  const major = majorOf(postgres.version);
  return withClient(adminLogin({ socketFolder, password, major }, database), work);
}

async function createPlace(folder: string, homeId: string, count: number): Promise<DatabasePlace> {
  const id = Array.from(
    randomBytes(16),
    (byte) => "abcdefghijklmnopqrstuvwxyz234567"[byte % 32],
  ).join("");
  if (!isEnvironmentId(id)) throw new Error("An id is made of its own alphabet.");
  const own = path.join(folder, `e${count}`);
  await mkdir(own, { mode: 0o711 });
  return {
    id,
    folder: path.join(own, "database"),
    socketFolder: path.join(folder, `s${count}`),
    log: path.join(own, "database.log"),
    uid: IS_ROOT ? randomInt(700_000, 800_000) : null,
    mark: formatMark(homeId, id, "database"),
    limits: DEFAULT_LIMITS,
  };
}

/** What it fails with; to be asked at once, so that a failure is never unwatched. */
export async function failureOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error("It was to fail, and did not.");
}

/** Sessions that sleep in a statement now. */
export async function countBusy(database: Database): Promise<number> {
  return asAdmin(database, async (admin) => {
    const { rowCount } = await admin.query(
      "SELECT FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'",
    );
    return rowCount ?? 0;
  });
}

/** What a fork leaves in its source while it goes on, and must not leave after it. */
async function countTraces(database: Database): Promise<number> {
  return asAdmin(database, async (admin) => {
    const { rows } = await admin.query<{ count: number }>(
      `SELECT (SELECT count(*) FROM pg_replication_slots)::int
        + (SELECT count(*) FROM pg_stat_activity WHERE usename = 'ramet' AND pid <> pg_backend_pid())::int AS count`,
    );
    return rows[0]?.count ?? -1;
  });
}

/** How many are left when the source had time to be rid of them. */
export async function untilNoTraces(database: Database): Promise<number> {
  await waitFor(async () => (await countTraces(database)) === 0 || undefined, {
    timeoutMs: 10_000,
  });
  return countTraces(database);
}
