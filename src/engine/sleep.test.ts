import { rename } from "node:fs/promises";

import { Client } from "pg";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { isDatabaseRunning } from "../database/database.ts";
import type { LiveEnvironment } from "./live/live-environment.ts";
import { runs, TestEngine, until } from "./test-engine.ts";
import { describeEnvironment } from "./view.ts";

const MINUTE_MS = 60_000;
const WEB = { web: { command: runs("serves.mjs") } };

let stage: TestEngine;
let live: LiveEnvironment;

beforeAll(async () => {
  stage = await TestEngine.open();
  live = await stage.createApp("shop", { processes: WEB, sleep: "15m" });
});
afterAll(async () => stage.close());

/** Each test begins with an environment that is awake, and was used just now. */
beforeEach(async () => {
  await live.wake();
  await until(() => (live.processes()[0]?.state === "ready" ? true : undefined));
});

async function untilAsleep(of: LiveEnvironment): Promise<void> {
  await until(() => (of.record.state.kind === "asleep" ? true : undefined));
  await until(async () => ((await stage.marked(of.record.id)).length === 0 ? true : undefined));
}

/** A client of the environment's own database, through its keeper's listener as its processes are, or past it. */
async function connect(of: LiveEnvironment, through: "keeper" | "socket"): Promise<Client> {
  const { database, ports } = of.record;
  const { socketFolder } = stage.layout.databasePlace(of.record);
  const isKeeper = through === "keeper";
  const client = new Client({
    host: isKeeper ? "127.0.0.1" : socketFolder,
    port: isKeeper ? (ports["$database"] ?? 0) : 5432,
    user: "app",
    password: database?.appPassword ?? "",
    database: database?.name ?? "",
  });
  client.on("error", () => {
    // Its server went to sleep.
  });
  await client.connect();
  return client;
}

test("what nobody uses for as long as its manifest says falls asleep, and the next use wakes it", async () => {
  stage.pass(14 * MINUTE_MS);
  const { sleepsAt, usedAt } = await describeEnvironment(live, {
    gatewayPort: 1,
    others: [],
    ownBytes: null,
    standbys: [],
    fronts: [],
    frontProblems: [],
    domain: null,
  });
  expect(Date.parse(sleepsAt ?? "") - Date.parse(usedAt)).toBe(15 * MINUTE_MS);
  stage.pass(MINUTE_MS);
  await untilAsleep(live);
  expect(stage.log.at(-1)).toContain("nobody uses it; it falls asleep.");
  const asleep = await describeEnvironment(live, {
    gatewayPort: 1,
    others: [],
    ownBytes: null,
    standbys: [],
    fronts: [],
    frontProblems: [],
    domain: null,
  });
  expect(asleep).toMatchObject({ state: "asleep", usedAt, sleepsAt: null });

  await live.openDatabase();
  await until(() => (live.processes()[0]?.state === "ready" ? true : undefined));
  expect(live.state()).toBe("awake");
});

test("a connection waits for the database alone, and a wake that fails before it is told", async () => {
  await live.sleep();
  await live.openDatabase();
  expect(live.isWaking()).toBe(true);
  await live.wake();
  expect(live.isWaking()).toBe(false);

  await live.sleep();
  const tree = live.record.files.path;
  await rename(tree, `${tree}-away`);
  await expect(live.openDatabase()).rejects.toMatchObject({ code: "files_missing" });
  await rename(`${tree}-away`, tree);
});

test("when it was used last is known after a restart of the server", async () => {
  stage.pass(15 * MINUTE_MS);
  await untilAsleep(live);
  const usedMs = live.usage.lastMs();
  const { registry } = await stage.reopen();
  live = registry.require("shop", "development");
  expect(live.state()).toBe("asleep");
  expect(live.usage.lastMs()).toBe(usedMs);
});

test("one that was awake counts as used when a server takes it up", async () => {
  stage.pass(15 * MINUTE_MS - 1);
  const { registry } = await stage.reopen();
  live = registry.require("shop", "development");
  expect(live.state()).toBe("awake");
  expect(live.usage.idleMs()).toBeLessThan(MINUTE_MS);
});

test("where somebody is at it, or its manifest says never, it stays awake", async () => {
  const bot = await stage.createApp("bot", { processes: WEB, sleep: false });
  const agent = await stage.fork("shop", "attended");
  const leave = agent.usage.occupy();
  stage.pass(60 * MINUTE_MS);
  await untilAsleep(live);
  await Promise.all([agent.look(), bot.look()]);
  expect([agent.state(), bot.state()]).toEqual(["awake", "awake"]);
  expect([agent.resting.sleepsAtMs(), bot.resting.sleepsAtMs()]).toEqual([null, null]);

  leave();
  await agent.look();
  expect(agent.state()).toBe("awake");
  stage.pass(15 * MINUTE_MS);
  await untilAsleep(agent);
  await stage.engine.delete(agent);
  await stage.engine.deleteApp(bot.record.app);
});

test("an open transaction is never cut, and an idle connection does not keep it awake", async () => {
  const [busy, idle] = [await connect(live, "socket"), await connect(live, "socket")];
  await idle.query("LISTEN news");
  await busy.query("BEGIN");
  await busy.query("CREATE TABLE kept AS SELECT 1 AS one");
  stage.pass(15 * MINUTE_MS);
  // It was asked, and counts as used: the whole time begins anew.
  await until(() => (live.usage.idleMs() < MINUTE_MS ? true : undefined));
  expect(live.state()).toBe("awake");
  await busy.query("COMMIT");
  stage.pass(15 * MINUTE_MS);
  await untilAsleep(live);
  await live.wake();
  const after = await connect(live, "socket");
  expect((await after.query("SELECT one FROM kept")).rows).toEqual([{ one: 1 }]);
  await after.end();
});

test("whoever comes while its database is asked whether it is busy finds it awake", async () => {
  stage.pass(15 * MINUTE_MS);
  const looking = live.look();
  await live.openDatabase();
  await looking;
  expect(live.state()).toBe("awake");
});

test("its processes' statements are use, and what a pool says again and again is none", async () => {
  const client = await connect(live, "keeper");
  stage.pass(10 * MINUTE_MS);
  await client.query("SELECT 'something that was not said before'");
  await until(() => (live.usage.idleMs() < MINUTE_MS ? true : undefined));

  const before = live.usage.lastMs();
  await client.query("SELECT 1");
  await until(() => (live.usage.lastMs() > before ? true : undefined));
  stage.pass(10 * MINUTE_MS);
  for (let beat = 0; beat < 5; beat += 1) await client.query("SELECT 1");
  stage.pass(5 * MINUTE_MS);
  await untilAsleep(live);
  expect(await isDatabaseRunning(stage.layout.databasePlace(live.record))).toBe(false);
});
