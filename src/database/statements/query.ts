import { Query } from "pg";
import type { Client, CustomTypesConfig, ResultBuilder } from "pg";

import { messageOf } from "../../base/problem.ts";
import { databaseUnreachable, sqlFailed, tooManyRows } from "../place/problems.ts";
import { connect, endClient, isSqlError } from "./client.ts";
import type { Login } from "./client.ts";

export type QueryResult = {
  readonly columns: string[];
  readonly rows: (string | null)[][];
  /** What the statement reports, such as the rows it changed; null when it counts none. */
  readonly count: number | null;
};

export const MAX_ROWS = 10_000;
const MAX_BYTES = 32 * 1024 * 1024;

/** Runs SQL, one statement or several; the last one's result, every value as PostgreSQL prints it. */
export async function runQuery(
  login: Login,
  sql: string,
  signal?: AbortSignal,
): Promise<QueryResult> {
  signal?.throwIfAborted();
  const client = await connectForQuery(login);
  // Whoever cuts the connection ends the statement: the server looks for that twice a second.
  const cut = (): void => {
    client.connection.stream.destroy();
  };
  signal?.addEventListener("abort", cut);
  try {
    return await collect(client, sql, cut);
  } catch (error) {
    signal?.throwIfAborted();
    throw isSqlError(error) ? explain(error, sql) : error;
  } finally {
    signal?.removeEventListener("abort", cut);
    await endClient(client);
  }
}

async function connectForQuery(login: Login): Promise<Client> {
  try {
    return await connect(login);
  } catch (error) {
    throw isSqlError(error) ? explain(error, "") : error;
  }
}

type Collected = { result: unknown; rows: (string | null)[][] };

/** Values stay text; no more rows and bytes are taken in than the limits allow. */
async function collect(client: Client, sql: string, cut: () => void): Promise<QueryResult> {
  const { promise, resolve, reject } = Promise.withResolvers<QueryResult>();
  const last: Collected = { result: undefined, rows: [] };
  let bytes = 0;
  const stop = (most: string): void => {
    reject(tooManyRows(most));
    cut();
  };
  client.connection.stream.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) stop(`${MAX_BYTES / 1024 / 1024} MB`);
  });
  const query = new Query<(string | null)[]>(createConfig(sql));
  query.on("row", (row, result) => {
    if (result !== last.result) Object.assign(last, { result, rows: [] });
    if (last.rows.push(row) > MAX_ROWS) stop(`${MAX_ROWS} rows`);
  });
  query.on("error", (error) =>
    reject(isSqlError(error) ? error : databaseUnreachable(messageOf(error))),
  );
  query.on("end", (results) => resolve(lastOf(results, last)));
  client.query(query);
  return promise;
}

function createConfig(text: string): { text: string; rowMode: "array"; types: CustomTypesConfig } {
  const types = { getTypeParser: () => (value: unknown) => value };
  return { text, rowMode: "array", types };
}

/** Several statements have several results; rows belong to the last one if it has any. */
function lastOf(results: ResultBuilder | readonly ResultBuilder[], rows: Collected): QueryResult {
  const result = isList(results) ? results.at(-1) : results;
  return {
    columns: result?.fields.map(({ name }) => name) ?? [],
    rows: result === rows.result ? rows.rows : [],
    count: result?.rowCount ?? null,
  };
}

function isList(
  results: ResultBuilder | readonly ResultBuilder[],
): results is readonly ResultBuilder[] {
  return Array.isArray(results);
}

type SqlError = Error & {
  readonly hint?: unknown;
  readonly detail?: unknown;
  readonly position?: unknown;
};

function explain(error: SqlError, sql: string): Error {
  const at = Number(error.position);
  const notes = [
    Number.isInteger(at) && at > 0 && sql !== "" ? `Look at ${formatPosition(sql, at)}.` : "",
    textOf(error.detail),
    textOf(error.hint),
  ];
  return sqlFailed(
    error.message,
    notes.filter((note) => note !== ""),
  );
}

/** PostgreSQL counts characters from 1. */
export function formatPosition(sql: string, position: number): string {
  const before = Array.from(sql)
    .slice(0, position - 1)
    .join("")
    .split("\n");
  return `line ${before.length}, column ${Array.from(before.at(-1) ?? "").length + 1}`;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
