import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { isRunning, signalProcess } from "../process/process.ts";
import type { LiveEnvironment } from "./live/live-environment.ts";
import { TestEngine, countRows, patiently, runs, until, untilReady } from "./test-engine.ts";

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

test("a keeper that is killed is started again, with its processes, though all was seen to have ended before", async () => {
  await live.sleep();
  await live.wake();
  const before = await untilReady(live);
  signalProcess(await stage.findPid(live, "runtime.keeper"), "SIGKILL");

  await until(() => (stage.log.some((line) => line.includes("keeper ended")) ? true : undefined));
  const after = await until(async () => {
    const pid = await untilReady(live);
    return pid === before ? undefined : pid;
  });
  expect(after).not.toBe(before);
  expect(isRunning(before)).toBe(false);
  expect(await stage.engine.leftovers()).toEqual([]);
});

test("a database that is killed is started again with its rows, and that is noted", async () => {
  const rows = Number(await countRows(live));
  const before = await untilReady(live);
  signalProcess(await stage.findPid(live, "database"), "SIGKILL");

  await until(() =>
    stage.log.some((line) => line.includes("its database had ended")) ? true : undefined,
  );
  expect(Number(await countRows(live))).toBe(rows + 1);
  expect(await untilReady(live)).toBe(before);
});

test("a delete during a wake ends what it began, and nothing wakes it again", async () => {
  const agent = await stage.fork("shop", "agent");
  await agent.sleep();
  const waking = agent.wake();
  await stage.engine.delete(agent);
  await waking;
  await agent.wake();

  expect(stage.engine.registry.find("shop", "agent")).toBeUndefined();
  expect(await stage.engine.leftovers()).toEqual([]);
  expect(await stage.marked(agent.record.id)).toEqual([]);
});

test("a delete while its rows are being forked waits for the fork, which is whole", async () => {
  const parent = await stage.fork("shop", "parent");
  const rows = Number(await countRows(parent));
  const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
  stage.checkpoint = (step) => {
    if (step === "before database") reach();
  };
  const files = { kind: "kept" } as const;
  const request = {
    app: parent.record.app,
    source: parent,
    files,
    searchPath: parent.record.searchPath,
  };
  const making = stage.engine.create({ ...request, name: live.record.name }, patiently());
  await expect(making).rejects.toMatchObject({ code: "environment_exists" });
  const child = stage.fork("shop", "child");
  await reached;
  stage.checkpoint = () => undefined;
  await stage.engine.delete(parent);
  expect(Number(await countRows(await child))).toBeGreaterThan(0);
  expect(rows).toBeGreaterThan(0);
  await stage.engine.delete(await child);
});

test("another server takes up what runs, with the same processes", async () => {
  const before = await untilReady(live);
  await stage.reopen();
  live = stage.engine.registry.require("shop", "development");
  expect(live.state()).toBe("awake");
  expect(await untilReady(live)).toBe(before);
});

test("what a keeper that was killed has left running is ended by the next server", async () => {
  const pid = await untilReady(live);
  await live.disconnect();
  signalProcess(await stage.findPid(live, "runtime.keeper"), "SIGKILL");
  expect(isRunning(pid)).toBe(true);

  await stage.reopen();
  live = stage.engine.registry.require("shop", "development");
  expect(isRunning(pid)).toBe(false);
  expect(live.state()).toBe("asleep");
  await live.wake();
  await untilReady(live);
});

test("after a restart of the machine an environment sleeps, and wakes at the next request", async () => {
  const { id } = live.record;
  await live.disconnect();
  for (const { pid } of await stage.marked(id)) signalProcess(pid, "SIGKILL");
  await until(async () => ((await stage.marked(id)).length === 0 ? true : undefined));

  await stage.reopen();
  live = stage.engine.registry.require("shop", "development");
  expect(live.state()).toBe("asleep");
  expect(await stage.readState(live)).toEqual({ kind: "asleep" });
  await live.wake();
  await untilReady(live);
});
