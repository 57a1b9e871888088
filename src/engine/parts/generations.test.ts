import { mkdir } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { exists } from "../../base/remove-inside.ts";
import { isDatabaseRunning, startDatabase, stopDatabase } from "../../database/database.ts";
import type { LiveEnvironment } from "../live/live-environment.ts";
import { contextOf, TestEngine } from "../test-engine.ts";
import { keptUntilMs, listGenerations, listUnowned, removeUnowned } from "./generations.ts";

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

async function makeFolders(...names: readonly string[]): Promise<void> {
  for (const name of names) await mkdir(path.join(stage.layout.folder(live.record.id), name));
}

const DATABASE = {
  name: "shop",
  appPassword: "a",
  adminPassword: "b",
  postgres: { version: "18", bin: null },
};

function replacedBy(generation: number): {
  replaced: NonNullable<LiveEnvironment["record"]["replaced"]>;
} {
  const replacedAt = "2026-01-01T00:00:00.000Z";
  return { replaced: { generation, database: DATABASE, remaining: [], replacedAt } };
}

test("an environment's database folders are told by their number, and nothing else is taken for one", async () => {
  await makeFolders("database.2", "database.10", "database.", "database.x", "databases", "files");
  const { id } = live.record;
  expect((await listGenerations(stage.layout, id)).toSorted((a, b) => a - b)).toEqual([1, 2, 10]);
});

test("an environment that has no folder has no database folder", async () => {
  await stage.engine.delete(live);
  await stage.engine.leftovers();
  expect(await listGenerations(stage.layout, live.record.id)).toEqual([]);
});

test("those that the record names are owned: its own, and what the last reset replaced", async () => {
  await makeFolders("database.2", "database.3");
  const owner = live.record;
  expect(await listUnowned(stage.layout, owner)).toEqual([2, 3]);
  expect(await listUnowned(stage.layout, { ...owner, ...replacedBy(2) })).toEqual([3]);
  const moved = { ...owner, generation: 3, ...replacedBy(1) };
  expect(await listUnowned(stage.layout, moved)).toEqual([2]);
});

test("what is not owned is ended and removed, and what is owned goes on", async () => {
  await live.sleep();
  const own = stage.layout.databasePlace(live.record);
  const programs = await contextOf(stage.layout).postgres.forRecord(DATABASE);
  await startDatabase({ programs }, own);
  expect(await isDatabaseRunning(own)).toBe(true);
  await makeFolders("database.2");

  await removeUnowned(contextOf(stage.layout), live.record);
  expect(await isDatabaseRunning(own)).toBe(true);
  expect(await exists(stage.layout.databasePlace({ ...live.record, generation: 2 }).folder)).toBe(
    false,
  );

  // As after a reset of which only this folder is left.
  await removeUnowned(contextOf(stage.layout), { ...live.record, generation: 2 });
  expect(await isDatabaseRunning(own)).toBe(false);
  expect(await exists(own.folder)).toBe(false);
  await stopDatabase(own);
});

test("what a reset replaced is kept for a day", () => {
  expect(keptUntilMs({ replaced: null })).toBeNull();
  expect(keptUntilMs(replacedBy(1))).toBe(Date.parse("2026-01-02T00:00:00.000Z"));
});
