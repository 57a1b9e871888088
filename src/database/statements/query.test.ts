import { Client, DatabaseError } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";

import { waitFor } from "../../base/clock.ts";
import { signalProcess } from "../../process/process.ts";
import { createDatabase, queryDatabase, stopDatabase } from "../database.ts";
import type { Database } from "../database.ts";
import { asAdmin, countBusy, failureOf, openTestHome } from "../test-home.ts";
import type { TestHome } from "../test-home.ts";
import { MAX_ROWS } from "./query.ts";

let home: TestHome;
let shop: Database;

beforeAll(async () => {
  home = await openTestHome();
  const place = await home.createPlace();
  shop = { place, record: await createDatabase(home.postgres, place, "my-shop") };
});

afterAll(async () => {
  await home.close();
});

async function ask(database: Database, sql: string): Promise<(string | null)[][]> {
  return (await queryDatabase(database, sql)).rows;
}

test("values come as PostgreSQL prints them, null as null", async () => {
  const sql =
    "SELECT 1.50::numeric AS n, true AS b, NULL AS nothing, '{1,2}'::int[] AS list, '2026-01-02'::date AS d";
  expect(await queryDatabase(shop, sql)).toEqual({
    columns: ["n", "b", "nothing", "list", "d"],
    rows: [["1.50", "t", null, "{1,2}", "2026-01-02"]],
    count: 1,
  });
});

test.each([
  ["SELECT 1 AS a; SELECT 2 AS b, 3 AS b", { columns: ["b", "b"], rows: [["2", "3"]], count: 1 }],
  ["SELECT 1 AS a; CREATE TABLE later (n int)", { columns: [], rows: [], count: null }],
  ["INSERT INTO later VALUES (1), (2)", { columns: [], rows: [], count: 2 }],
  ["INSERT INTO later VALUES (3) RETURNING n", { columns: ["n"], rows: [["3"]], count: 1 }],
  ["SELECT n FROM later WHERE false", { columns: ["n"], rows: [], count: 0 }],
  ["", { columns: [], rows: [], count: null }],
])("%j answers what its last statement does", async (sql, result) => {
  expect(await queryDatabase(shop, sql)).toEqual(result);
});

test("a server that recovers from a crash of one session is waited for", async () => {
  const place = await home.createPlace();
  const busy = { place, record: await createDatabase(home.postgres, place, "busy") };
  // Recovery must take longer than a look at it.
  await ask(busy, "CREATE TABLE t AS SELECT n, repeat('x', 500) FROM generate_series(1, 100000) n");
  await failureOf(asAdmin(busy, async (admin) => crash(admin)));
  expect(await untilRefused(busy)).toBe("57P03");
  expect(await ask(busy, "SELECT count(*) FROM t")).toEqual([["100000"]]);
  await stopDatabase(place);
});

test("an error in SQL is told with its place and PostgreSQL's hint", async () => {
  const failing = queryDatabase(
    shop,
    'SELECT 1;\nSELECT ä, colour FROM (SELECT 1 AS color, 2 AS "ä") x',
  );
  await expect(failing).rejects.toMatchObject({
    code: "sql_failed",
    message: 'column "colour" does not exist',
    remedy: expect.stringMatching(/^Look at line 2, column 11\. Perhaps you meant/),
  });
});

test("several statements are one transaction", async () => {
  await expect(queryDatabase(shop, "CREATE TABLE half (n int); SELECT 1/0")).rejects.toThrow(
    /division by zero/,
  );
  expect(await ask(shop, "SELECT to_regclass('half')")).toEqual([[null]]);
});

test("as many rows as the limit are given, one more is a problem", async () => {
  expect(await ask(shop, `SELECT generate_series(1, ${MAX_ROWS})`)).toHaveLength(MAX_ROWS);
  const failing = queryDatabase(shop, `SELECT generate_series(1, ${MAX_ROWS + 1})`);
  await expect(failing).rejects.toMatchObject({ code: "too_many_rows" });
});

test("an answer of too many bytes is cut off", async () => {
  const failing = queryDatabase(shop, "SELECT repeat('x', 100000000)");
  await expect(failing).rejects.toMatchObject({ code: "too_many_rows" });
});

test("a query that is aborted ends in the server too", async () => {
  const abort = new AbortController();
  const query = queryDatabase(shop, "SELECT pg_sleep(600)", { signal: abort.signal });
  const ended = failureOf(query);
  await waitFor(async () => (await countBusy(shop)) === 1 || undefined, { timeoutMs: 10_000 });
  expect(await countBusy(shop)).toBe(1);
  const reason = new Error("enough");
  abort.abort(reason);
  expect(await ended).toBe(reason);
  await waitFor(async () => (await countBusy(shop)) === 0 || undefined, { timeoutMs: 10_000 });
  expect(await countBusy(shop)).toBe(0);
});

test("a query whose session is ended by others is a problem", async () => {
  const query = queryDatabase(shop, "SELECT pg_sleep(600)");
  const ended = failureOf(query);
  await waitFor(async () => (await countBusy(shop)) === 1 || undefined, { timeoutMs: 10_000 });
  await asAdmin(shop, async (admin) =>
    admin.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'",
    ),
  );
  expect(await ended).toMatchObject({ code: "sql_failed" });
});

/** Kills the process of the session itself, and asks it once more, so that its end is waited for. */
async function crash(admin: Client): Promise<void> {
  const { rows } = await admin.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
  for (const { pid } of rows) signalProcess(pid, "SIGKILL");
  await admin.query("SELECT 1");
}

/** Knocks until the server refuses to let anyone in. Resolves with PostgreSQL's code for why. */
async function untilRefused({ place, record }: Database): Promise<string | undefined> {
  const login = { host: place.socketFolder, user: "app", password: record.appPassword };
  const knock = async (): Promise<string | undefined> => {
    const client = new Client({ ...login, database: record.name });
    // It may be let in just before the server notices, and is thrown out again then.
    client.on("error", () => undefined);
    try {
      await client.connect();
      return undefined;
    } catch (error) {
      return error instanceof DatabaseError ? error.code : undefined;
    } finally {
      await client.end();
    }
  };
  return waitFor(knock, { timeoutMs: 10_000, everyMs: 1 });
}
