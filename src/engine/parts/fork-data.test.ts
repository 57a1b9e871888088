import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { queryDatabase } from "../../database/database.ts";
import type { ForkData, Progress } from "../../environment/environment.ts";
import { parseEnvironmentName } from "../../environment/name.ts";
import type { LiveEnvironment } from "../live/live-environment.ts";
import { patiently, TestEngine } from "../test-engine.ts";

let stage: TestEngine;
let source: LiveEnvironment;

beforeAll(async () => {
  stage = await TestEngine.open();
  source = await stage.createApp("shop", { processes: {} });
  await ask(
    source,
    "CREATE TABLE notes AS SELECT 1 AS n; CREATE TABLE applied AS SELECT '1-notes.sql' AS name",
  );
  await mkdir(path.join(source.record.files.path, "migrations"));
  await writeFile(path.join(source.record.files.path, "migrations", "1-notes.sql"), "");
});
afterAll(async () => stage.close());

async function ask(live: LiveEnvironment, sql: string): Promise<unknown> {
  return live.withDatabase(async (database) => {
    if (database === null) throw new Error("It has one.");
    return (await queryDatabase(database, sql)).rows;
  });
}

async function fork(
  name: string,
  data: ForkData,
): Promise<{ live: LiveEnvironment; seen: readonly Progress[] }> {
  const seen: Progress[] = [];
  const { app } = source.record;
  const searchPath = process.env["PATH"] ?? "";
  const request = { app, name: parseEnvironmentName(name), source, searchPath, data };
  await stage.engine.create(
    { ...request, files: { kind: "kept" } },
    { ...patiently(), report: (progress) => seen.push(progress) },
  );
  return { live: stage.engine.registry.require("shop", name), seen };
}

const COUNTS = "SELECT (SELECT count(*) FROM notes), (SELECT count(*) FROM applied)";

test("a fork has what was asked for, remembers it, and tells of each stage as it begins", async () => {
  const whole = await fork("whole", "all");
  expect(await ask(whole.live, COUNTS)).toEqual([["1", "1"]]);
  const bare = await fork("bare", "schema");
  expect(await ask(bare.live, COUNTS)).toEqual([["0", "1"]]);
  expect(bare.live.record.data).toBe("schema");
  expect(bare.seen).toContainEqual(
    expect.objectContaining({ part: "database", state: "started", detail: "removing rows" }),
  );
  expect(whole.seen.filter(({ detail }) => detail === "removing rows")).toEqual([]);
});

test("a fork without data does not wake its source, and is of the same name", async () => {
  await source.sleep();
  const { live } = await fork("empty", "none");
  expect(source.state()).toBe("asleep");
  expect(
    await ask(
      live,
      "SELECT current_database(), count(*) FROM pg_tables WHERE schemaname = 'public'",
    ),
  ).toEqual([["shop", "0"]]);
  expect(live.record.database?.appPassword).not.toBe(source.record.database?.appPassword);
});

test("what a reset brings is what the fork was made with", async () => {
  for (const [name, tables] of [
    ["bare", "2"],
    ["empty", "0"],
  ] as const) {
    const live = stage.engine.registry.require("shop", name);
    await ask(live, "CREATE TABLE own AS SELECT 1 AS n");
    await stage.engine.reset(live, { from: null, undo: false }, patiently());
    const next = stage.engine.registry.require("shop", name);
    const count = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    expect(await ask(next, count)).toEqual([[tables]]);
  }
});
