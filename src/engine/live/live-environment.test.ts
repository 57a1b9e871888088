import { readFile, rename, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import path from "node:path";
import { setImmediate } from "node:timers/promises";

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { isDatabaseRunning, queryDatabase } from "../../database/database.ts";
import { TestEngine, countRows, runs, until, untilReady } from "../test-engine.ts";
import type { LiveEnvironment } from "./live-environment.ts";

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

async function isRunningDatabase(of: LiveEnvironment): Promise<boolean> {
  return isDatabaseRunning(stage.layout.databasePlace(of.record));
}

test("two wakes at once are one", async () => {
  await live.sleep();
  expect(live.state()).toBe("asleep");

  await Promise.all([live.wake(), live.wake(), live.wake()]);
  await untilReady(live);

  const marks = (await stage.marked(live.record.id)).map(({ mark }) => mark);
  expect(marks.filter((mark) => mark.endsWith(".keeper"))).toHaveLength(1);
  expect(await stage.readState(live)).toEqual({ kind: "awake" });
});

test("a wake of what is awake changes nothing", async () => {
  const before = await untilReady(live);
  await live.wake();
  expect(await untilReady(live)).toBe(before);
});

test("what sleeps has no process at all, and says so on the disk", async () => {
  await live.sleep();
  expect(await stage.marked(live.record.id)).toEqual([]);
  expect(live.processes()).toMatchObject([{ name: "web", state: "stopped", pid: null }]);
  expect(await stage.readState(live)).toEqual({ kind: "asleep" });
});

test("a sleep that is asked for during a wake comes after it, and a wake during a sleep likewise", async () => {
  await live.sleep();
  await Promise.all([live.wake(), live.sleep()]);
  expect(live.state()).toBe("asleep");
  expect(await stage.marked(live.record.id)).toEqual([]);

  await live.wake();
  await untilReady(live);
  const sleeping = live.sleep();
  await until(() => (live.processes()[0]?.state === "ready" ? undefined : true));
  await sleeping;
  await live.wake();
  await untilReady(live);
});

test("a database that is looked after while its environment falls asleep is not started again", async () => {
  const isDone = { value: false };
  const sleeping = live.sleep().finally(() => (isDone.value = true));
  while (!isDone.value) await Promise.all([live.look(), setImmediate()]);
  await sleeping;
  expect(live.state()).toBe("asleep");
  expect(await isRunningDatabase(live)).toBe(false);
  expect(await stage.engine.leftovers()).toEqual([]);
});

test("a client that connects while its environment falls asleep wakes it whole", async () => {
  const isDone = { value: false };
  const sleeping = live.sleep().finally(() => (isDone.value = true));
  while (!isDone.value) await Promise.all([live.openDatabase(), setImmediate()]);
  await sleeping;
  expect(await stage.engine.leftovers()).toEqual([]);
  await live.openDatabase();
  await untilReady(live);
});

test("a wake that fails tells why, and the next one tries again", async () => {
  await live.sleep();
  const tree = live.record.files.path;
  await rename(tree, `${tree}-away`);

  await expect(live.wake()).rejects.toMatchObject({ code: "files_missing" });
  expect(live.state()).toBe("asleep");
  expect(live.problems()).toMatchObject([{ code: "files_missing" }]);
  expect(live.wakeFailure.freshProblem()).toMatchObject({ code: "files_missing" });
  expect(await stage.marked(live.record.id)).toEqual([]);

  await rename(`${tree}-away`, tree);
  await live.wake();
  await untilReady(live);
  expect(live.problems()).toEqual([]);
  expect(live.wakeFailure.freshProblem()).toBeUndefined();
});

test("a manifest that is broken is the wake's problem, and mending it is all that is needed", async () => {
  await live.sleep();
  const file = path.join(live.record.files.path, "ramet.json");
  const good = await readFile(file, "utf8");
  await writeFile(file, good.slice(0, -1));

  await expect(live.wake()).rejects.toMatchObject({ code: "manifest_invalid" });
  await writeFile(file, good);
  await live.wake();
  await untilReady(live);
});

test("a port that another program has taken meanwhile is exchanged for a free one", async () => {
  const before = live.record.ports["web"];
  await live.sleep();
  const taker = createServer().listen(before, "127.0.0.1");
  try {
    await live.wake();
    await untilReady(live);
    expect(live.record.ports["web"]).not.toBe(before);
    expect(live.processes()[0]?.port).toBe(live.record.ports["web"]);
  } finally {
    taker.close();
  }
});

test("rows survive a sleep", async () => {
  const rows = Number(await countRows(live));
  await live.sleep();
  await live.wake();
  expect(Number(await countRows(live))).toBe(rows + 1);
});

test("a look into the rows of what sleeps wakes nothing and leaves nothing running", async () => {
  await live.sleep();
  await countRows(live);
  expect(live.state()).toBe("asleep");
  await until(async () => ((await isRunningDatabase(live)) ? undefined : true));
  expect(await stage.marked(live.record.id)).toEqual([]);
});

test("a database is not stopped while somebody works with it", async () => {
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const working = live.withDatabase(async (database) => {
    begin();
    await held;
    if (database !== null) await queryDatabase(database, "select 1");
  });
  await begun;
  const sleeping = live.sleep();
  await until(async () => ((await stage.marked(live.record.id)).length === 1 ? true : undefined));
  expect(await isRunningDatabase(live)).toBe(true);
  release();
  await working;
  await sleeping;
  expect(await isRunningDatabase(live)).toBe(false);
});

test("after the last sleep nothing is woken, whoever asks", async () => {
  const agent = await stage.fork("shop", "last");
  const sleeping = agent.sleep({ forGood: true });
  await Promise.all([agent.wake(), sleeping, agent.wake()]);
  await agent.wake();
  expect(agent.state()).toBe("asleep");
  expect(await stage.marked(agent.record.id)).toEqual([]);
  expect(await stage.readState(agent)).toEqual({ kind: "asleep" });
  await stage.engine.delete(agent);
});
