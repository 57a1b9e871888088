import { readdir, stat } from "node:fs/promises";
import path from "node:path";

import { afterAll, afterEach, beforeAll, expect, test } from "vitest";

import { exists } from "../../base/remove-inside.ts";
import { writeAtomically } from "../../base/write-atomically.ts";
import { queryDatabase } from "../../database/database.ts";
import type { EnvironmentId } from "../../environment/environment.ts";
import { isEnvironmentId } from "../../environment/environment.ts";
import type { LiveEnvironment } from "../live/live-environment.ts";
import { patiently, TestEngine, until } from "../test-engine.ts";

const MANIFEST = { processes: {} };
let stage: TestEngine;

beforeAll(async () => {
  stage = await TestEngine.open({ most: 1, calmMs: 0, always: true });
  await stage.createApp("shop", MANIFEST);
  await ask("development", "CREATE TABLE moves AS SELECT 1 AS n");
  await stage.fork("shop", "agent");
});
afterAll(async () => stage.close());
afterEach(() => {
  stage.checkpoint = () => undefined;
});

function live(name: string): LiveEnvironment {
  return stage.engine.registry.require("shop", name);
}

async function ask(name: string, sql: string): Promise<unknown> {
  return live(name).withDatabase(async (database) => {
    if (database === null) throw new Error("It has a database.");
    return (await queryDatabase(database, sql)).rows;
  });
}

async function untilFollowed(): Promise<EnvironmentId> {
  return until(async () => {
    const { standbys } = await stage.engine.describe(live("development"));
    const [standby] = standbys.filter(({ state }) => state === "following");
    return standby !== undefined && isEnvironmentId(standby.id) ? standby.id : undefined;
  });
}

/** Resolves with how its database was made. */
async function reset(): Promise<string> {
  let how = "";
  await stage.engine.reset(
    live("agent"),
    { from: null, undo: false },
    {
      ...patiently(),
      report: ({ part, state, detail }) => {
        if (part === "database" && state === "done") how = detail ?? "";
      },
    },
  );
  return how;
}

/** Nothing of the standby, and no database that no record names. */
async function expectNoneLeft(id: EnvironmentId): Promise<void> {
  const { layout } = stage;
  const there = [layout.folder(id), layout.databaseSockets(id)].map(async (one) => exists(one));
  expect(await Promise.all(there)).toEqual([false, false]);
  expect(await stage.marked(id)).toEqual([]);
  expect(await stage.engine.leftovers()).toEqual([]);
}

/** Of its database's folder and all that is in it, but for what the server alone writes. */
async function listOwners(): Promise<readonly number[]> {
  const { folder } = stage.layout.databasePlace(live("agent").record);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter(({ name }) => name !== "postgresql.conf" && name !== "pg_hba.conf")
    .map(({ parentPath, name }) => path.join(parentPath, name));
  const owners = [folder, ...files].map(async (file) => (await stat(file)).uid);
  return [...new Set(await Promise.all(owners))];
}

test("a reset promotes its parent's standby: every row is there, address and user stay, and the next one is made behind it", async () => {
  const id = await untilFollowed();
  const before = live("agent").record;
  await ask("development", "INSERT INTO moves VALUES (2)");

  expect(await reset()).toBe("promoted a standby");
  expect(await ask("agent", "SELECT count(*) FROM moves")).toEqual([["2"]]);
  const { generation, database } = live("agent").record;
  expect(generation).toBe(before.generation + 1);
  expect(database).toMatchObject({
    appPassword: before.database?.appPassword,
    adminPassword: before.database?.adminPassword,
  });
  expect(await listOwners()).toEqual([before.uid ?? process.getuid?.()]);
  await expectNoneLeft(id);
  expect(await untilFollowed()).not.toBe(id);

  await stage.reopen();
  await live("agent").sleep();
  expect(await ask("agent", "SELECT count(*) FROM moves")).toEqual([["2"]]);
});

test.each(["before move", "after move", "before record"])(
  "cut off %s it changes nothing, and neither the standby nor a second database is left",
  async (step) => {
    const id = await untilFollowed();
    await ask("agent", "DELETE FROM moves");
    const { generation } = live("agent").record;
    stage.checkpoint = (passed) => {
      if (passed === step) throw new Error("cut off");
    };
    await expect(reset()).rejects.toThrow("cut off");
    expect(live("agent").record.generation).toBe(generation);
    expect(await ask("agent", "SELECT count(*) FROM moves")).toEqual([["0"]]);
    await expectNoneLeft(id);
  },
);

test("a mask that fails takes the standby with it, and the old database is served", async () => {
  const id = await untilFollowed();
  const { path: folder } = live("agent").record.files;
  const write = async (name: string, text: string): Promise<void> =>
    writeAtomically(path.join(folder, name), text, { mode: 0o644 });
  await write("mask.sql", "UPDATE nothing SET n = 1");
  await write("ramet.json", JSON.stringify({ ...MANIFEST, database: { mask: "mask.sql" } }));
  await expect(reset()).rejects.toMatchObject({ code: "mask_failed" });
  await write("ramet.json", JSON.stringify(MANIFEST));
  expect(await ask("agent", "SELECT count(*) FROM moves")).toEqual([["0"]]);
  await expectNoneLeft(id);
});

test("one that is to have no rows leaves the standby to others", async () => {
  const id = await untilFollowed();
  await live("agent").save({ data: "none" });
  expect(await reset()).toBe("empty");
  expect(await untilFollowed()).toBe(id);
});
