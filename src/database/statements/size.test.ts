import { afterAll, beforeAll, expect, test } from "vitest";

import { createDatabase, measureDatabase, queryDatabase } from "../database.ts";
import type { Database } from "../database.ts";
import { asAdmin, openTestHome } from "../test-home.ts";
import type { TestHome } from "../test-home.ts";

let home: TestHome;
let shop: Database;

beforeAll(async () => {
  home = await openTestHome();
  const place = await home.createPlace();
  shop = { place, record: await createDatabase(home.postgres, place, "shop") };
});

afterAll(async () => home.close());

async function ask(sql: string): Promise<(string | null)[][]> {
  return (await queryDatabase(shop, sql)).rows;
}

async function sizeOf(name: string): Promise<unknown> {
  return (await measureDatabase(shop)).tables.find((table) => table.name === name);
}

test("an empty database has a size and no tables", async () => {
  const { bytes, tables } = await measureDatabase(shop);
  expect(bytes).toBeGreaterThan(1_000_000);
  expect(tables).toEqual([]);
});

test("tables have their rows and bytes, the largest first, whatever they are called", async () => {
  await ask(
    `CREATE TABLE orders AS SELECT n, repeat('x', 100) AS note FROM generate_series(1, 5000) n;
     CREATE SCHEMA "Odd; name"; CREATE TABLE "Odd; name"."so ""called""" (n int);
     CREATE TEMPORARY TABLE passing (n int); CREATE VIEW seen AS SELECT * FROM orders`,
  );
  const { tables } = await measureDatabase(shop);
  expect(tables.map(({ name }) => name)).toEqual(["public.orders", '"Odd; name"."so ""called"""']);
  const [bytes] = (await ask("SELECT pg_total_relation_size('orders')")).flat();
  expect(tables[0]).toEqual({
    name: "public.orders",
    rows: 5000,
    isEstimate: false,
    bytes: Number(bytes),
  });
  expect(tables[1]).toMatchObject({ rows: 0, isEstimate: false });
});

test("rows of a large table are what PostgreSQL believes, and not known before it looked", async () => {
  await ask(
    `CREATE UNLOGGED TABLE large (n int, filler char(4000)); ALTER TABLE large SET (autovacuum_enabled = off);
     ALTER TABLE large ALTER filler SET STORAGE PLAIN;
     INSERT INTO large SELECT n, 'x' FROM generate_series(1, 18000) n`,
  );
  expect(await sizeOf("public.large")).toMatchObject({ rows: null, isEstimate: true });
  await ask("ANALYZE large");
  expect(await sizeOf("public.large")).toMatchObject({ rows: 18_000, isEstimate: true });
  // The small ones are counted all the same.
  expect(await sizeOf("public.orders")).toMatchObject({ rows: 5000, isEstimate: false });
  await ask("DROP TABLE large");
});

test("a table that somebody holds is not waited for for ever", async () => {
  await asAdmin(
    shop,
    async (holder) => {
      await holder.query("BEGIN; LOCK TABLE public.orders");
      await expect(measureDatabase(shop)).rejects.toMatchObject({
        code: "sql_failed",
        remedy: expect.stringContaining("Somebody holds a table"),
      });
      await holder.query("ROLLBACK");
    },
    "shop",
  );
});

test("a path that the app set for its database puts no function of its own before PostgreSQL's", async () => {
  await ask(
    `CREATE SCHEMA evil; CREATE FUNCTION evil.pg_database_size(name) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint';
     ALTER DATABASE shop SET search_path = evil, pg_catalog`,
  );
  expect((await ask("SELECT pg_database_size(current_database())")).flat()).toEqual(["1"]);
  expect((await measureDatabase(shop)).bytes).toBeGreaterThan(1_000_000);
});
