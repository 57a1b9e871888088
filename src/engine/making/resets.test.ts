import { mkdir } from "node:fs/promises";

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { exists } from "../../base/remove-inside.ts";
import { isDatabaseRunning, queryDatabase } from "../../database/database.ts";
import { parseEnvironmentName } from "../../environment/name.ts";
import type { LiveEnvironment } from "../live/live-environment.ts";
import { contextOf, patiently, TestEngine } from "../test-engine.ts";
import { Resets } from "./resets.ts";

let stage: TestEngine;
/** Each test has an app of its own. */
let app = "";
let apps = 0;

beforeAll(async () => {
  stage = await TestEngine.open();
});
beforeEach(async () => {
  apps += 1;
  app = `shop${apps}`;
  await stage.createApp(app, { processes: {} });
  await ask("development", "CREATE TABLE t AS SELECT 1 AS n");
  await stage.fork(app, "agent");
});
afterAll(async () => stage.close());

function live(name: string): LiveEnvironment {
  return stage.engine.registry.require(app, name);
}

async function ask(name: string, sql: string): Promise<unknown> {
  return live(name).withDatabase(async (database) => {
    if (database === null) throw new Error("It has one.");
    return (await queryDatabase(database, sql)).rows;
  });
}

async function reset(): Promise<unknown> {
  return stage.engine.reset(live("agent"), { from: null, undo: false }, patiently());
}

function folderOf(generation: number): string {
  return stage.layout.databasePlace({ ...live("agent").record, generation }).folder;
}

/** As they would be so long after now. */
function resetsAfter(hours: number): Resets {
  const clock = { now: () => Date.now() + hours * 3_600_000 };
  const { registry, standbys } = stage.engine;
  return new Resets({ ...contextOf(stage.layout), clock }, registry, standbys);
}

test("what a reset replaced is kept for a day, and then let go of", async () => {
  await ask("agent", "UPDATE t SET n = 2");
  await reset();
  expect(await ask("agent", "SELECT n FROM t")).toEqual([["1"]]);

  await resetsAfter(23).expire();
  expect(await exists(folderOf(1))).toBe(true);
  await resetsAfter(25).expire();
  expect(await exists(folderOf(1))).toBe(false);
  const { replacedUntil } = await stage.engine.describe(live("agent"));
  expect(replacedUntil).toBeNull();
  expect(await ask("agent", "SELECT n FROM t")).toEqual([["1"]]);
  await expect(
    stage.engine.reset(live("agent"), { from: null, undo: true }, patiently()),
  ).rejects.toMatchObject({ code: "nothing_replaced" });
});

test("while an environment is reset it is neither reset again nor deleted, and nothing of it is a leftover", async () => {
  const seen: unknown[] = [];
  stage.checkpoint = async (step) => {
    if (step !== "before switch") return;
    seen.push(await reset().catch((error: unknown) => error));
    seen.push(await stage.engine.delete(live("agent")).catch((error: unknown) => error));
    seen.push(
      await stage.engine.deleteApp(live("agent").record.app).catch((error: unknown) => error),
    );
    seen.push(await stage.engine.leftovers());
  };
  await reset();
  stage.checkpoint = () => undefined;
  const underWay = { code: "reset_under_way" };
  expect(seen).toMatchObject([underWay, underWay, underWay, []]);
  expect(live("development").state()).toBe("awake");
});

test("whoever asks for the database while it is exchanged waits for the new one, and the old one is not started again", async () => {
  await ask("agent", "UPDATE t SET n = 2");
  const before = live("agent");
  const asked: Promise<unknown>[] = [];
  stage.checkpoint = (step) => {
    if (step !== "before record") return;
    asked.push(ask("agent", "SELECT n FROM t"), before.wake(), before.openDatabase());
  };
  await reset();
  stage.checkpoint = () => undefined;
  expect(await Promise.all(asked)).toMatchObject([[["1"]], undefined, expect.any(String)]);
  expect(live("agent")).toBe(before);
  expect(await ask("agent", "SELECT n FROM t")).toEqual([["1"]]);
  const old = { ...before.record, generation: 1 };
  expect(await isDatabaseRunning(stage.layout.databasePlace(old))).toBe(false);
});

test("a fork that is made while its source is reset is whole, of what was there before or after", async () => {
  await ask("agent", "UPDATE t SET n = 2");
  const { record } = live("agent");
  const forking = await new Promise<Promise<unknown>>((resolve) => {
    stage.checkpoint = (step) => {
      if (step === "before files") resolve(made);
    };
    const made = stage.engine.create(
      {
        app: record.app,
        name: parseEnvironmentName("child"),
        source: live("agent"),
        files: { kind: "kept" },
        searchPath: record.searchPath,
      },
      patiently(),
    );
  });
  stage.checkpoint = () => undefined;
  await Promise.all([forking, reset()]);
  expect(["1", "2"]).toContain(await ask("child", "SELECT n FROM t").then(String));
  expect(await ask("agent", "SELECT n FROM t")).toEqual([["1"]]);
  expect(await stage.engine.leftovers()).toEqual([]);
});

test("a folder that a reset left is a leftover, and no environment is cleared with it", async () => {
  await mkdir(folderOf(7));
  const leftovers = await stage.engine.leftovers();
  expect(leftovers).toMatchObject([{ kind: "folder", path: folderOf(7) }]);
  await stage.engine.fix(leftovers);
  expect(await exists(folderOf(7))).toBe(false);
  expect(await ask("agent", "SELECT n FROM t")).toEqual([["1"]]);

  await mkdir(folderOf(8));
  await stage.reopen();
  expect(await exists(folderOf(8))).toBe(false);
  expect(await stage.engine.leftovers()).toEqual([]);
});

test("a reset of one that is broken makes it whole again", async () => {
  const problem = { code: "setup_failed", message: "It failed.", remedy: "Mend it." };
  await live("agent").save({ state: { kind: "broken", problem } });
  await reset();
  expect(live("agent").state()).toBe("awake");
});

test("a deleted environment takes with it what a reset replaced", async () => {
  await reset();
  const folder = stage.layout.folder(live("agent").record.id);
  await stage.engine.delete(live("agent"));
  await stage.engine.leftovers();
  expect(await exists(folder)).toBe(false);
});
