import { afterAll, beforeAll, expect, test } from "vitest";

import { ask, createFilled, endAll } from "../../../test/forks.ts";
import type { Database } from "../database.ts";
import { asAdmin, openTestHome } from "../test-home.ts";
import type { TestHome } from "../test-home.ts";
import { readBookkeeping } from "./bookkeeping.ts";
import type { Bookkeeping } from "./bookkeeping.ts";
import { readCatalog } from "./catalog.ts";

let home: TestHome;
let database: Database;

beforeAll(async () => {
  home = await openTestHome();
  database = await createFilled(home, "tools", "SELECT 1");
});
afterAll(async () => {
  await endAll(database);
  await home.close();
});

/** As superuser: nothing of these tables runs anything. */
async function read(keys: readonly string[]): Promise<readonly Bookkeeping[]> {
  return asAdmin(
    database,
    async (admin) => readBookkeeping(admin, (await readCatalog(admin)).tables, new Set(keys)),
    "tools",
  );
}

/** Of one table alone, in a schema of its own. */
async function readOne(sql: string, keys: readonly string[] = []): Promise<readonly Bookkeeping[]> {
  await ask(database, `CREATE SCHEMA one; SET search_path = one; ${sql}`);
  const found = await read(keys);
  await ask(database, "DROP SCHEMA one CASCADE");
  return found;
}

test.each([
  [
    "Prisma",
    `CREATE TABLE _prisma_migrations (migration_name text, finished_at timestamptz, rolled_back_at timestamptz);
     INSERT INTO _prisma_migrations VALUES ('1_init', now(), null), ('2_undone', now(), now()), ('3_failed', null, null)`,
    ["1_init"],
  ],
  [
    "Drizzle",
    `CREATE TABLE __drizzle_migrations (id serial, hash text, created_at bigint);
     INSERT INTO __drizzle_migrations (hash, created_at) VALUES ('a', 1700000000001)`,
    ["1700000000001"],
  ],
  [
    "Knex",
    `CREATE TABLE knex_migrations (id serial, name text, batch int, migration_time timestamptz);
     INSERT INTO knex_migrations (name, batch) VALUES ('1_a.js', 1), (null, 1)`,
    ["1_a.js"],
  ],
  [
    "TypeORM",
    `CREATE TABLE migrations (id serial, "timestamp" bigint, name text);
     INSERT INTO migrations ("timestamp", name) VALUES (1590000000000, 'A1590000000000')`,
    ["A1590000000000"],
  ],
  [
    "Rails",
    "CREATE TABLE schema_migrations (version text); INSERT INTO schema_migrations VALUES ('20240101000000')",
    ["20240101000000"],
  ],
  [
    "Django",
    `CREATE TABLE django_migrations (id serial, app text, name text, applied timestamptz);
     INSERT INTO django_migrations (app, name) VALUES ('notes', '0001_initial')`,
    ["notes/0001_initial"],
  ],
  [
    "Sequelize",
    `CREATE TABLE "SequelizeMeta" (name text); INSERT INTO "SequelizeMeta" VALUES ('1-a.js')`,
    ["1-a.js"],
  ],
  ["Alembic", "CREATE TABLE alembic_version AS SELECT 'abc' AS version_num", []],
  ["Laravel", "CREATE TABLE migrations (id serial, migration text, batch int)", []],
  ["golang-migrate", "CREATE TABLE schema_migrations (version bigint, dirty boolean)", []],
  ["Graphile Worker", "CREATE TABLE migrations (id int, ts timestamptz)", []],
])("%s's bookkeeping is known by its table, with what was applied", async (tool, sql, applied) => {
  expect(await readOne(sql)).toMatchObject([{ tool, applied }]);
});

test("a script's own table is known by naming a migration's file, whichever column does", async () => {
  const sql = `CREATE TABLE applied (id serial, script text, at timestamptz DEFAULT now());
    INSERT INTO applied (script) VALUES ('1-notes.sql'), ('2-more.sql')`;
  expect(await readOne(sql, ["1-notes", "1"])).toMatchObject([
    { table: "one.applied", tool: "its own script", applied: ["1-notes.sql", "2-more.sql"] },
  ]);
  expect(await readOne(sql)).toEqual([]);
  expect(await readOne(sql, ["7-other", "7"])).toEqual([]);
});

test.each([
  ["rows of another kind", "CREATE TABLE migrations AS SELECT 1 AS id, 'north' AS name"],
  ["another name", "CREATE TABLE birds AS SELECT '1-notes' AS name"],
  [
    "more columns than bookkeeping has",
    "CREATE TABLE migrations AS SELECT '1-notes' AS name, 1 AS a, 2 AS b, 3 AS c, 4 AS d, 5 AS e, 6 AS f",
  ],
])("a table with %s is the app's own", async (_, sql) => {
  expect(await readOne(sql, ["1-notes", "1"])).toEqual([]);
});
