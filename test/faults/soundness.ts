/** Every page of a database's tables and indexes looked at, as `pg_amcheck --heapallindexed` does. */
import type { Client } from "pg";

/** Heaps and B-trees, but those of one session. */
const RELATIONS = `
  SELECT c.oid, c.oid::regclass::text AS name, am.amname AS kind
  FROM pg_class AS c JOIN pg_am AS am ON am.oid = c.relam LEFT JOIN pg_index AS i ON i.indexrelid = c.oid
  WHERE am.amname IN ('heap', 'btree') AND c.relkind IN ('r', 't', 'm', 'i') AND c.relpersistence <> 't'
    AND i.indisvalid IS NOT FALSE`;
const CHECKS = {
  heap: "SELECT format('block %s, line %s: %s', blkno, offnum, msg) AS fault FROM verify_heapam($1::oid)",
  // It answers nothing, or fails.
  btree: "SELECT bt_index_check($1::oid, heapallindexed => true)::text AS fault",
} as const;

type Relation = {
  readonly oid: number;
  readonly name: string;
  readonly kind: keyof typeof CHECKS;
};

/** What is corrupt, in words. `admin` is a superuser's session with the database. @throws Error without checksums */
export async function findCorruption(admin: Client): Promise<readonly string[]> {
  await requireChecksums(admin);
  await admin.query("CREATE EXTENSION IF NOT EXISTS amcheck");
  const { rows } = await admin.query<Relation>(RELATIONS);
  const faults: string[] = [];
  for (const relation of rows) faults.push(...(await check(admin, relation)));
  return faults;
}

/** With them each page that is read is checked as well. */
async function requireChecksums(admin: Client): Promise<void> {
  const { rows } = await admin.query<{ data_checksums: string }>("SHOW data_checksums");
  if (rows[0]?.data_checksums !== "on") throw new Error("The pages have no checksums.");
}

/** None of what was dropped meanwhile. */
async function check(admin: Client, { oid, name, kind }: Relation): Promise<readonly string[]> {
  try {
    const { rows } = await admin.query<{ fault: string }>(CHECKS[kind], [oid]);
    return rows.flatMap(({ fault }) => (fault === "" ? [] : [`${name}: ${fault}`]));
  } catch (error) {
    const { rowCount } = await admin.query("SELECT FROM pg_class WHERE oid = $1", [oid]);
    return rowCount === 0 ? [] : [`${name}: ${String(error)}`];
  }
}
