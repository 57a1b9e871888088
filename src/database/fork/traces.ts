import type { Client } from "pg";

import { quoteName } from "../place/sql.ts";

/** Databases that every server has; nothing of an app's lies in them. */
const SERVERS_OWN = ["postgres", "template0", "template1"];

/** Removes all databases but the app's: what an app made beside it may hold copies of its rows. Resolves with their names. */
export async function dropOtherDatabases(admin: Client, app: string): Promise<readonly string[]> {
  const { rows } = await admin.query<{ name: string; marked: boolean }>(
    "SELECT datname AS name, datistemplate AS marked FROM pg_database WHERE datname <> ALL ($1) ORDER BY 1",
    [[...SERVERS_OWN, app]],
  );
  for (const { name, marked } of rows) {
    if (marked) await admin.query(`ALTER DATABASE ${quoteName(name)} IS_TEMPLATE false`);
    await admin.query(`DROP DATABASE ${quoteName(name)} WITH (FORCE)`);
  }
  return rows.map(({ name }) => name);
}

/** Tables that hold rows all the same, of those that are not kept and no extension's. */
export async function listUnemptied(
  admin: Client,
  kept: readonly number[],
): Promise<readonly string[]> {
  const { rows } = await admin.query<{ name: string }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.oid >= 16384 AND c.relkind = 'r' AND c.oid <> ALL ($1::oid[]) AND pg_relation_size(c.oid) > 0
       AND NOT EXISTS (SELECT FROM pg_depend d
         WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
     ORDER BY 1`,
    [kept],
  );
  return rows.map(({ name }) => name);
}

/**
 * Samples of values that PostgreSQL keeps for its planner, and that the app's role can read: of the relations that are
 * given and of all that they are a part of; null: of every relation of the app's.
 */
export async function forgetSamples(
  admin: Client,
  relations: readonly number[] | null,
): Promise<void> {
  await admin.query(FORGET_SAMPLES, [relations]);
  // Deleted rows of a catalog stay in its file until that is written anew.
  await admin.query("VACUUM (FULL) pg_statistic, pg_statistic_ext_data");
}

const FORGET_SAMPLES = `WITH RECURSIVE
  changed(oid) AS (
    SELECT oid FROM pg_class WHERE oid >= 16384 AND ($1::oid[] IS NULL OR oid = ANY ($1::oid[]))
    UNION SELECT inhparent FROM pg_inherits JOIN changed ON inhrelid = oid),
  sampled(oid) AS (
    SELECT oid FROM changed
    UNION SELECT indexrelid FROM pg_index WHERE indrelid IN (SELECT oid FROM changed)),
  combined AS (
    DELETE FROM pg_statistic_ext_data WHERE stxoid IN (
      SELECT oid FROM pg_statistic_ext WHERE stxrelid IN (SELECT oid FROM changed)))
  DELETE FROM pg_statistic WHERE starelid IN (SELECT oid FROM sampled)`;

/** Writes a table's file anew, which holds rows as they were, too; PostgreSQL runs an index's functions as its owner. */
export async function rewriteTables(admin: Client, quoted: readonly string[]): Promise<void> {
  for (const table of quoted) await admin.query(`VACUUM (FULL) ${table}`);
}

/**
 * Files that hold rows no more are removed only by a checkpoint, and so is the WAL that tells of them. What its source had
 * made ready of old WAL, and a copy at rest has brought along, is written through first: it goes with the rest.
 */
export async function forgetWrites(admin: Client): Promise<void> {
  await admin.query("SELECT pg_switch_wal()");
  const ahead = await countWalAhead(admin);
  for (let file = 0; file < ahead; file += 1) {
    await admin.query("SELECT pg_logical_emit_message(true, 'ramet', '')");
    await admin.query("SELECT pg_switch_wal()");
  }
  await admin.query("CHECKPOINT");
}

async function countWalAhead(admin: Client): Promise<number> {
  const { rows } = await admin.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM pg_ls_waldir()
     WHERE name ~ '^[0-9A-F]{24}$' AND name > pg_walfile_name(pg_current_wal_insert_lsn())`,
  );
  return rows[0]?.count ?? 0;
}
