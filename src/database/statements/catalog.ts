import type { Client } from "pg";

import type { Table } from "./bookkeeping.ts";

/** What of an app's database holds rows, or keeps count of them. Names are quoted as they stand in SQL. */
export type Catalog = {
  readonly tables: readonly CatalogTable[];
  /** Pairs of families: rows of the first refer to rows of the second. */
  readonly references: readonly (readonly [number, number])[];
  readonly sequences: readonly { readonly quoted: string; readonly table: number | null }[];
  /** Materialized views that have been filled. */
  readonly views: readonly string[];
  /** Triggers that a TRUNCATE would fire. */
  readonly triggers: readonly CatalogTrigger[];
};

export type CatalogTable = Table & {
  readonly quoted: string;
  /** The table that it is a partition of, however deep; its own oid where it is none. */
  readonly family: number;
  readonly kind: "plain" | "partitioned";
  /** Whether rows of it lie in another server: they are not ours to remove. */
  readonly isPartlyForeign: boolean;
};

export type CatalogTrigger = {
  readonly table: string;
  readonly name: string;
  readonly mode: "origin" | "replica" | "always";
};

/** All but what belongs to an extension, as `pg_dump` has it: an extension's rows are a part of its making. */
export async function readCatalog(client: Client): Promise<Catalog> {
  const { rows } = await client.query<{ catalog: Catalog }>(`${OWN} SELECT json_build_object(
    'tables', ${TABLES}, 'references', ${REFERENCES}, 'sequences', ${SEQUENCES},
    'views', ${VIEWS}, 'triggers', ${TRIGGERS}) AS catalog`);
  const [row] = rows;
  if (row === undefined) throw new Error("A SELECT without FROM has one row.");
  return row.catalog;
}

/** The first oid that is not the server's own. */
const FIRST_OID = 16384;

const OWN = `WITH own AS MATERIALIZED (
  SELECT c.oid::int8 AS oid, n.nspname AS schema, c.relname AS name, c.relkind AS kind,
    format('%I.%I', n.nspname, c.relname) AS quoted, c.relispopulated AS filled, c.relispartition AS part,
    coalesce(pg_partition_root(c.oid)::oid, c.oid)::int8 AS family
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.oid >= ${FIRST_OID} AND c.relkind IN ('r', 'p', 'm', 'S') AND c.relpersistence <> 't'
    AND NOT EXISTS (SELECT FROM pg_depend d
      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'))`;

const TABLES = list(`SELECT o.oid, o.schema, o.name, o.quoted, o.family,
    CASE o.kind WHEN 'p' THEN 'partitioned' ELSE 'plain' END AS kind,
    (SELECT json_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a
      WHERE a.attrelid = o.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
    EXISTS (SELECT FROM pg_partition_tree(o.family::oid) t JOIN pg_class f ON f.oid = t.relid
      WHERE f.relkind = 'f') AS "isPartlyForeign"
  FROM own o WHERE o.kind IN ('r', 'p') ORDER BY o.quoted`);

const REFERENCES = `(SELECT coalesce(json_agg(json_build_array(a.family, b.family)), '[]')
  FROM pg_constraint k JOIN own a ON a.oid = k.conrelid JOIN own b ON b.oid = k.confrelid
  WHERE k.contype = 'f')`;

const SEQUENCES = list(`SELECT o.quoted, (SELECT d.refobjid::int8 FROM pg_depend d
    WHERE d.classid = 'pg_class'::regclass AND d.objid = o.oid AND d.refclassid = 'pg_class'::regclass
      AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i') LIMIT 1) AS "table"
  FROM own o WHERE o.kind = 'S' ORDER BY o.quoted`);

const VIEWS = `(SELECT coalesce(json_agg(o.quoted ORDER BY o.oid), '[]') FROM own o WHERE o.kind = 'm' AND o.filled)`;

const TRIGGERS = list(`SELECT o.quoted AS "table", quote_ident(t.tgname) AS name,
    CASE t.tgenabled WHEN 'A' THEN 'always' WHEN 'R' THEN 'replica' ELSE 'origin' END AS mode
  FROM pg_trigger t JOIN own o ON o.oid = t.tgrelid
  WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgtype & 32 > 0 ORDER BY o.quoted, t.tgname`);

function list(select: string): string {
  return `(SELECT coalesce(json_agg(one), '[]') FROM (${select}) one)`;
}
