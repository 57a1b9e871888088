import { afterAll, beforeAll, expect, test } from "vitest";

import { ask, createFilled, endAll } from "../../../test/forks.ts";
import type { Database } from "../database.ts";
import { readCatalog } from "../statements/catalog.ts";
import { asAdmin, openTestHome } from "../test-home.ts";
import type { TestHome } from "../test-home.ts";
import { dropOtherDatabases, forgetSamples, listUnemptied } from "./traces.ts";

let home: TestHome;
let database: Database;

beforeAll(async () => {
  home = await openTestHome();
  database = await createFilled(
    home,
    "traces",
    `CREATE TABLE people (id int, mail text) PARTITION BY RANGE (id);
     CREATE TABLE people_1 PARTITION OF people FOR VALUES FROM (0) TO (1000);
     CREATE INDEX lowered ON people_1 (lower(mail));
     CREATE STATISTICS pairs (mcv) ON id, mail FROM people_1;
     INSERT INTO people SELECT n % 3, 'm' || n % 3 FROM generate_series(1, 300) n;
     CREATE TABLE others AS SELECT n % 3 AS n FROM generate_series(1, 300) n;
     CREATE TABLE empty (n int); CREATE EXTENSION citext;
     CREATE TABLE member AS SELECT 1 AS n; ALTER EXTENSION citext ADD TABLE member;
     ANALYZE`,
  );
});
afterAll(async () => {
  await endAll(database);
  await home.close();
});

test("samples are forgotten of a table, of what it is a part of, and of its indexes; others are kept", async () => {
  const sampled = async (): Promise<unknown> =>
    ask(database, "SELECT DISTINCT tablename FROM pg_stats WHERE schemaname = 'public' ORDER BY 1");
  expect(await sampled()).toEqual([["lowered"], ["member"], ["others"], ["people"], ["people_1"]]);
  expect(await ask(database, "SELECT count(*) FROM pg_stats_ext")).toEqual([["1"]]);
  await asAdmin(
    database,
    async (admin) => {
      const { rows } = await admin.query<{ oid: number }>(
        "SELECT oid::int AS oid FROM pg_class WHERE relname = 'people_1'",
      );
      await forgetSamples(
        admin,
        rows.map(({ oid }) => oid),
      );
    },
    "traces",
  );
  expect(await sampled()).toEqual([["member"], ["others"]]);
  const combined = "SELECT count(most_common_vals) FROM pg_stats_ext";
  expect(await ask(database, combined)).toEqual([["0"]]);
});

test("tables that hold rows all the same are named, but for those that are kept and an extension's", async () => {
  const list = async (kept: readonly number[]): Promise<readonly string[]> =>
    asAdmin(database, async (admin) => listUnemptied(admin, kept), "traces");
  expect(await list([])).toEqual(["public.others", "public.people_1"]);
  const { tables } = await asAdmin(database, readCatalog, "traces");
  const kept = tables.filter(({ name }) => name === "others").map(({ oid }) => oid);
  expect(await list(kept)).toEqual(["public.people_1"]);
});

test("a catalog names what holds rows, and nothing of an extension's", async () => {
  const { tables, views } = await asAdmin(database, readCatalog, "traces");
  expect(tables.map(({ name, kind }) => [name, kind])).toEqual([
    ["empty", "plain"],
    ["others", "plain"],
    ["people", "partitioned"],
    ["people_1", "plain"],
  ]);
  expect(new Set(tables.slice(2).map(({ family }) => family)).size).toBe(1);
  expect(views).toEqual([]);
});

test("databases beside the app's are dropped, templates and odd names too, and not PostgreSQL's own", async () => {
  for (const name of ["shadow", 'odd"; name', "Master"]) {
    await ask(database, `CREATE DATABASE "${name.replace('"', '""')}"`);
  }
  await ask(database, 'ALTER DATABASE "Master" IS_TEMPLATE true');
  const dropped = await asAdmin(database, async (admin) => dropOtherDatabases(admin, "traces"));
  expect(dropped).toEqual(["Master", 'odd"; name', "shadow"]);
  expect(await ask(database, "SELECT datname FROM pg_database ORDER BY 1")).toEqual([
    ["postgres"],
    ["template0"],
    ["template1"],
    ["traces"],
  ]);
});
