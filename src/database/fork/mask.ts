import type { Client } from "pg";

import { messageOf, Problem } from "../../base/problem.ts";
import { maskFailed } from "../place/problems.ts";
import { isSqlError, withClient } from "../statements/client.ts";
import type { Login } from "../statements/client.ts";
import { formatPosition } from "../statements/query.ts";

/** A relation that a mask changed. */
export type Changed = {
  readonly oid: number;
  /** As it stands in SQL. */
  readonly quoted: string;
  /** Whether its file still holds what its rows were before. */
  readonly hasOldRows: boolean;
};

/** Changes the rows as the app's role, in one transaction. Resolves with what it changed. @throws `mask_failed` */
export async function runMask(login: Login, sql: string): Promise<readonly Changed[]> {
  try {
    return await withClient(login, async (app) => changeRows(app, sql));
  } catch (error) {
    throw explain(error, sql);
  }
}

async function changeRows(app: Client, sql: string): Promise<readonly Changed[]> {
  await app.query("BEGIN");
  const transaction = await readTransaction(app);
  const before = await readRelations(app);
  await app.query(sql);
  if ((await readTransaction(app)) !== transaction) throw maskFailed(...ENDED_ITSELF);
  const files = new Map(before.map(({ oid, file }) => [oid, file]));
  const changed = (await readRelations(app)).filter(
    ({ oid, file, hasNewRows, hasOldRows }) => hasNewRows || hasOldRows || files.get(oid) !== file,
  );
  await app.query("COMMIT");
  return changed;
}

const ENDED_ITSELF = [
  "it ended the transaction that it runs in",
  "Remove COMMIT and ROLLBACK from the file that database.mask names in ramet.json: it is run in a transaction.",
] as const;

/** Its number; whoever asks outside of one begins another. */
async function readTransaction(app: Client): Promise<string | undefined> {
  const { rows } = await app.query<{ id: string }>(
    "SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text AS id",
  );
  return rows[0]?.id;
}

type Relation = Changed & { readonly file: string; readonly hasNewRows: boolean };

/** Counted from the transaction's beginning. */
async function readRelations(app: Client): Promise<readonly Relation[]> {
  const { rows } = await app.query<Relation>(RELATIONS);
  return rows;
}

/** The mask may have set where names are looked up: every one says where it is from. */
const RELATIONS = `
  SELECT c.oid::pg_catalog.int8::pg_catalog.float8 AS oid, c.relfilenode::pg_catalog.text AS file,
    pg_catalog.format('%I.%I', n.nspname, c.relname) AS quoted,
    pg_catalog.pg_stat_get_xact_tuples_inserted(c.oid) OPERATOR(pg_catalog.>) 0 AS "hasNewRows",
    pg_catalog.pg_stat_get_xact_tuples_updated(c.oid) OPERATOR(pg_catalog.>) 0
      OR pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid) OPERATOR(pg_catalog.>) 0 AS "hasOldRows"
  FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
  WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't'
    AND (n.nspname NOT IN ('pg_catalog', 'information_schema') OR c.relname = 'pg_largeobject')`;

const SYNTAX_ERROR = "42601";
const PLAIN_SQL =
  "Write plain SQL into the file that database.mask names in ramet.json, and fork again.";

/** Says it also of what people write in such files and PostgreSQL itself does not know. */
function explain(error: unknown, sql: string): unknown {
  if (!isSqlError(error)) return error instanceof Problem ? error : maskFailed(messageOf(error));
  const { message, code } = error;
  const command = code === SYNTAX_ERROR ? /^\s*(\\(?:\w+|\.))/m.exec(sql)?.[1] : undefined;
  if (message.startsWith("COPY from stdin failed") || command === "\\.")
    return maskFailed("COPY reads rows from a client, and a mask has none", PLAIN_SQL);
  if (command !== undefined)
    return maskFailed(`${command} is a command of psql, unknown to PostgreSQL itself`, PLAIN_SQL);
  const at = "position" in error ? Number(error.position) : NaN;
  return maskFailed(Number.isInteger(at) ? `${message} (${formatPosition(sql, at)})` : message);
}
