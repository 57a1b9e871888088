import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { queryDatabase } from "../../database/database.ts";
import type { LiveEnvironment } from "../live/live-environment.ts";
import { TestEngine } from "../test-engine.ts";
import { findMissingMigrations, stillMissing } from "./missing-migrations.ts";

let stage: TestEngine;
/** Each test has an app of its own. */
let app = "";
let apps = 0;
let live: LiveEnvironment;

beforeAll(async () => {
  stage = await TestEngine.open();
});
beforeEach(async () => {
  apps += 1;
  app = `shop${apps}`;
  live = await stage.createApp(app, { processes: {} });
});
afterAll(async () => stage.close());

async function ask(sql: string): Promise<void> {
  await live.withDatabase(async (database) => {
    if (database !== null) await queryDatabase(database, sql);
  });
}

async function writeMigration(name: string): Promise<void> {
  const folder = path.join(live.record.files.path, "migrations");
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, name), "");
}

test("what is missing is found in the database and the tree, and is missing until the tree has it", async () => {
  await ask(
    "CREATE TABLE applied AS SELECT n || '-notes.sql' AS name FROM generate_series(1, 3) n",
  );
  await writeMigration("1-notes.sql");
  const missing = await findMissingMigrations(live);
  expect(missing).toEqual([{ tool: "its own script", names: ["2-notes.sql", "3-notes.sql"] }]);

  await live.save({ missingMigrations: missing });
  await writeMigration("2-notes.sql");
  expect(await stillMissing(live)).toMatchObject([{ names: ["3-notes.sql"] }]);
  await writeMigration("3-notes.sql");
  expect(await stillMissing(live)).toEqual([]);
});

test("bookkeeping that cannot be read is noted, and no failure", async () => {
  const columns = "migration_name text, finished_at int, rolled_back_at int";
  await ask(
    `CREATE TABLE _prisma_migrations (${columns}); REVOKE ALL ON _prisma_migrations FROM app`,
  );
  expect(await findMissingMigrations(live)).toEqual([]);
  expect(stage.log.join()).toMatch(/migrations could not be looked at: permission denied/);
});

test("an app without migrations lacks none", async () => {
  expect(await findMissingMigrations(live)).toEqual([]);
  expect(await stillMissing(live)).toEqual([]);
});
