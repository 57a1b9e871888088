import { readdir, rename } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { queryDatabase } from "../database/database.ts";
import { signalProcess } from "../process/process.ts";
import type { LiveEnvironment } from "./live/live-environment.ts";
import { runs, TestEngine, until } from "./test-engine.ts";

let stage: TestEngine;
let live: LiveEnvironment;
let other: LiveEnvironment;

beforeAll(async () => {
  stage = await TestEngine.open();
  live = await stage.createApp("shop", { processes: { web: { command: runs("serves.mjs") } } });
  other = await stage.fork("shop", "other");
});
afterAll(async () => stage.close());

async function kill(of: LiveEnvironment): Promise<number> {
  const pid = await stage.findPid(of, "database");
  signalProcess(pid, "SIGKILL");
  return pid;
}

function codes(of: LiveEnvironment): readonly string[] {
  return of.problems().map(({ code }) => code);
}

async function untilCode(of: LiveEnvironment, code: string): Promise<void> {
  await until(() => (codes(of).includes(code) ? true : undefined));
}

async function isAnswering(of: LiveEnvironment): Promise<boolean> {
  return of.withDatabase(async (database) => {
    if (database === null) return false;
    return (await queryDatabase(database, "select 1")).rows.length === 1;
  });
}

test("a database that is killed comes back by itself, which is shown for a minute; others are untouched", async () => {
  const untouched = await stage.findPid(other, "database");
  const before = await kill(live);
  await untilCode(live, "database_restarted");
  expect(await stage.findPid(live, "database")).not.toBe(before);
  expect(await isAnswering(live)).toBe(true);
  expect(codes(other)).toEqual([]);
  expect(await stage.findPid(other, "database")).toBe(untouched);

  stage.pass(60_000);
  expect(codes(live)).toEqual([]);
});

test("one that does not start any more is given up after some tries, and mending it is all that is needed", async () => {
  const control = path.join(stage.layout.databasePlace(live.record).folder, "global", "pg_control");
  await rename(control, `${control}.away`);
  const before = stage.log.length;
  await kill(live);
  await untilCode(live, "database_restarting");
  await until(() => {
    stage.pass(30_000);
    return codes(live).includes("database_down") ? true : undefined;
  });
  const tries = stage.log.slice(before).filter((line) => line.includes("PostgreSQL did not start"));
  expect(tries).toHaveLength(6);
  expect(live.state()).toBe("awake");
  // A client tries it once, the next ones hear why without another try, and a person's wake is a try of its own.
  await expect(live.openDatabase()).rejects.toMatchObject({ code: "database_failed" });
  await expect(live.openDatabase()).rejects.toMatchObject({ code: "database_down" });
  await expect(live.wake()).rejects.toMatchObject({ code: "database_failed" });
  expect(codes(live)).toContain("database_down");

  await rename(`${control}.away`, control);
  await live.wake();
  expect(await isAnswering(live)).toBe(true);
  expect(codes(live)).toEqual(["database_restarted"]);
  expect(await readdir(path.dirname(control))).not.toContain("pg_control.away");
});

test("a sleep while its database is being brought back leaves nothing running", async () => {
  await kill(live);
  await live.sleep();
  await live.look();
  expect(await stage.marked(live.record.id)).toEqual([]);
  expect(codes(live)).toEqual([]);
  await live.wake();
  expect(await isAnswering(live)).toBe(true);
});
