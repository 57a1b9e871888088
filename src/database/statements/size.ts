import type { Client } from "pg";

import { sqlFailed } from "../place/problems.ts";
import { isSqlError, withClient } from "./client.ts";
import type { Login } from "./client.ts";

export type TableSize = {
  /** With its schema, as it stands in SQL. */
  readonly name: string;
  /** null: nobody knows, since it is large and was never analysed. */
  readonly rows: number | null;
  /** Whether `rows` is what the planner believes. */
  readonly isEstimate: boolean;
  /** With its indexes and what is stored aside. */
  readonly bytes: number;
};

export type DatabaseSize = { readonly bytes: number; readonly tables: readonly TableSize[] };

/** Rows of so many bytes are counted, of the smallest tables first. */
const MAX_COUNTED_BYTES = 64 * 1024 * 1024;
const MAX_COUNTED_TABLES = 500;
/** Whoever changes a table holds it: even to ask for its size is to wait. */
const PATIENCE = "SET lock_timeout = '2s'; SET statement_timeout = '30s'";
const HELD =
  "Somebody holds a table or keeps the database busy, such as a migration: ask again when it is done.";

type Found = { name: string; bytes: number; heap: number; estimate: number | null };

/**
 * What the app's database takes up, its largest tables first. As the app's role: what it made never runs as superuser.
 * @throws `sql_failed` where a table is held
 */
export async function measureDatabase(login: Login): Promise<DatabaseSize> {
  try {
    return await withClient(login, measure);
  } catch (error) {
    throw isSqlError(error) ? sqlFailed(error.message, [HELD]) : error;
  }
}

async function measure(app: Client): Promise<DatabaseSize> {
  await app.query(`SET search_path = pg_catalog; ${PATIENCE}`);
  const { rows } = await app.query<{ bytes: number; tables: Found[] | null }>(SIZES);
  const tables = rows[0]?.tables ?? [];
  const counts = await count(app, chooseCounted(tables));
  return {
    bytes: rows[0]?.bytes ?? 0,
    tables: tables.map(({ name, bytes, estimate }) => {
      const counted = counts.get(name);
      return { name, bytes, rows: counted ?? estimate, isEstimate: counted === undefined };
    }),
  };
}

/** As the planner does it: as many rows for each page as there were when they were looked at last. */
const SIZES = `SELECT pg_database_size(current_database())::float8 AS bytes,
  (SELECT json_agg(t ORDER BY t.bytes DESC, t.name) FROM (
    SELECT format('%I.%I', n.nspname, c.relname) AS name,
      pg_total_relation_size(c.oid) AS bytes, pg_relation_size(c.oid) AS heap,
      CASE WHEN c.reltuples >= 0 AND c.relpages > 0 THEN
        round(c.reltuples::float8 / c.relpages * pg_relation_size(c.oid) / current_setting('block_size')::int)
      END AS estimate
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't'
      AND n.nspname NOT IN ('pg_catalog', 'information_schema')) t) AS tables`;

function chooseCounted(tables: readonly Found[]): readonly Found[] {
  let left = MAX_COUNTED_BYTES;
  return tables
    .toSorted((a, b) => a.heap - b.heap)
    .slice(0, MAX_COUNTED_TABLES)
    .filter(({ heap }) => (left -= heap) >= 0);
}

/** None where one of them is not the app's to read. */
async function count(app: Client, tables: readonly Found[]): Promise<ReadonlyMap<string, number>> {
  if (tables.length === 0) return new Map();
  const counts = tables.map(({ name }) => `(SELECT count(*)::float8 FROM ${name})`);
  try {
    const { rows } = await app.query<number[]>({
      text: `SELECT ${counts.join(", ")}`,
      rowMode: "array",
    });
    return new Map(tables.map(({ name }, index) => [name, rows[0]?.[index] ?? 0]));
  } catch (error) {
    if (isSqlError(error)) return new Map();
    throw error;
  }
}
