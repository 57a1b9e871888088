/** Every page of a database's tables and indexes looked at, as `pg_amcheck --heapallindexed` does. */
import type { Client } from "pg";

/** Relations of one session, and those that a reader cannot see whole, are not looked at. */
const TABLES = `
  SELECT c.oid::regclass::text AS name, fault.msg AS fault
  FROM pg_class AS c JOIN pg_am AS am ON am.oid = c.relam AND am.amname = 'heap',
    verify_heapam(c.oid) AS fault
  WHERE c.relkind IN ('r', 't', 'm') AND c.relpersistence <> 't'`;
const INDEXES = `
  SELECT c.oid::regclass::text AS name FROM pg_class AS c
  JOIN pg_am AS am ON am.oid = c.relam AND am.amname = 'btree'
  JOIN pg_index AS i ON i.indexrelid = c.oid AND i.indisready AND i.indisvalid
  WHERE c.relkind = 'i' AND c.relpersistence <> 't'`;

/** What is corrupt, in words. `admin` is a superuser's session with the database. @throws Error without checksums */
export async function findCorruption(admin: Client): Promise<readonly string[]> {
  await requireChecksums(admin);
  await admin.query("CREATE EXTENSION IF NOT EXISTS amcheck");
  const { rows } = await admin.query<{ name: string; fault: string }>(TABLES);
  const faults = rows.map(({ name, fault }) => `${name}: ${fault}`);
  const indexes = await admin.query<{ name: string }>(INDEXES);
  for (const { name } of indexes.rows) {
    try {
      await admin.query("SELECT bt_index_check($1::regclass, heapallindexed => true)", [name]);
    } catch (error) {
      faults.push(`${name}: ${String(error)}`);
    }
  }
  return faults;
}

/** With them each page that is read is checked as well. */
async function requireChecksums(admin: Client): Promise<void> {
  const { rows } = await admin.query<{ data_checksums: string }>("SHOW data_checksums");
  if (rows[0]?.data_checksums !== "on") throw new Error("The pages have no checksums.");
}
