import { rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { exists } from "../base/remove-inside.ts";
import { isDatabaseRunning } from "../database/database.ts";
import { signalProcess } from "../process/process.ts";
import type { LiveEnvironment } from "./live/live-environment.ts";
import { patiently, runs, TestEngine, until, untilReady } from "./test-engine.ts";

let stage: TestEngine;
let live: LiveEnvironment;

beforeAll(async () => {
  stage = await TestEngine.open();
  live = await stage.createApp("shop", { processes: { web: { command: runs("serves.mjs") } } });
});
afterAll(async () => stage.close());

/** Each test begins with an environment that is awake and well. */
beforeEach(async () => {
  await live.wake();
  await untilReady(live);
});

test("a wake that fails half-way leaves no database running", async () => {
  await live.sleep();
  const sockets = stage.layout.keeperSockets(live.record.id);
  await rm(sockets, { recursive: true });
  await writeFile(sockets, "in the way");
  await expect(live.wake()).rejects.toThrow("EEXIST");
  expect(live.state()).toBe("asleep");
  await rm(sockets);
  expect(await stage.engine.leftovers()).toEqual([]);
  await live.wake();
  await untilReady(live);
});

test("a wake whose database does not start leaves no keeper running", async () => {
  await live.sleep();
  const version = path.join(stage.layout.databasePlace(live.record).folder, "PG_VERSION");
  await rename(version, `${version}.away`);
  await expect(live.wake()).rejects.toMatchObject({ code: "database_failed" });
  await rename(`${version}.away`, version);
  expect(live.state()).toBe("asleep");
  expect(await stage.engine.leftovers()).toEqual([]);
});

test("one whose keeper ended under its migrations is brought up by the next start", async () => {
  const migrate = "test -e begun || { touch begun; sleep 1000; }";
  const web = { command: runs("serves.mjs") };
  const making = Promise.allSettled([
    stage.createApp("migrating", { processes: { web }, database: { migrate } }),
  ]);
  await until(
    async () => (await exists(path.join(stage.folder, "migrating", "begun"))) || undefined,
  );
  const migrating = stage.engine.registry.require("migrating", "development");
  signalProcess(await stage.findPid(migrating, "runtime.keeper"), "SIGKILL");
  expect(await making).toMatchObject([{ status: "rejected", reason: { code: "keeper_gone" } }]);
  expect(migrating.state()).toBe("broken");

  await stage.engine.start(migrating, patiently());
  expect(await untilReady(migrating)).toBeGreaterThan(0);
});

test("one whose database cannot be taken up keeps no other from it", async () => {
  const other = await stage.createApp("blog", { processes: {}, database: {} });
  const place = stage.layout.databasePlace(other.record);
  signalProcess(await stage.findPid(other, "database"), "SIGKILL");
  await other.disconnect();
  await until(async () => ((await isDatabaseRunning(place)) ? undefined : true));
  const version = path.join(place.folder, "PG_VERSION");
  await rename(version, `${version}.away`);
  try {
    await stage.reopen();
    live = stage.engine.registry.require("shop", "development");
    expect(await untilReady(live)).toBeGreaterThan(0);
  } finally {
    await rename(`${version}.away`, version);
  }
});
