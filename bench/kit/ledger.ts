/** Rows by which a copy of a database proves of which moment it is. */
import pg from "pg";

import { fillStatement } from "./scene.ts";
import type { Size } from "./scene.ts";

/**
 * Rows that never change, and a table that only grows, one row after another. Rows that nobody has read or vacuumed since
 * they were written are marked by their first reader, which writes every page: here by the source, once, as its
 * autovacuum would, and not by each of a hundred copies.
 */
export function ledgerStatements(size: Size): readonly string[] {
  return [
    fillStatement(size),
    "VACUUM (FREEZE) filler",
    "CREATE TABLE written (at timestamptz NOT NULL, text text NOT NULL, number bigserial PRIMARY KEY)",
  ];
}

/** Checksums of all rows: of those that never change, and of the others up to the last. */
export type Proof = { readonly filler: string; readonly last: string; readonly written: string };

/** Of a copy, or of the source as it is now. */
export async function proveAll(url: string): Promise<Proof> {
  return withClient(url, async (ask) => {
    const filler = await ask("SELECT sum(hashtextextended(text, n)::numeric) AS value FROM filler");
    const last = await ask("SELECT coalesce(max(number), 0) AS value FROM written");
    return { filler, last, written: await ask(writtenUntil(last)) };
  });
}

/** The source's checksum as it was when that row was its last: what is written stays. */
export async function proveWritten(url: string, last: string): Promise<string> {
  return withClient(url, async (ask) => ask(writtenUntil(last)));
}

function writtenUntil(last: string): string {
  const sum = "sum(hashtextextended(at::text || text, number)::numeric)";
  return `SELECT concat(count(*), ' ', ${sum}) AS value FROM written WHERE number <= ${last}`;
}

type Ask = (sql: string) => Promise<string>;

async function withClient<T>(connectionString: string, work: (ask: Ask) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return await work(async (sql) => {
      const { rows } = await client.query<{ value: string }>(sql);
      return rows[0]?.value ?? "";
    });
  } finally {
    await client.end();
  }
}
