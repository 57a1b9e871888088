import { readFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { isRunning } from "../../process/process.ts";
import { useSchema } from "../../protocol/schemas.ts";
import type { LiveEnvironment } from "../live/live-environment.ts";
import { NO_USE } from "../live/use-summary.ts";
import { runs, TestEngine, until } from "../test-engine.ts";

let stage: TestEngine;
let live: LiveEnvironment;

beforeAll(async () => {
  stage = await TestEngine.open();
  const web = { command: runs("hog.mjs", "HOG_SECONDS=30") };
  live = await stage.createApp("watched", { processes: { web }, limits: { cpus: 0.2 } });
  await until(() => (live.processes()[0]?.state === "ready" ? true : undefined));
}, 60_000);
afterAll(async () => stage.close());

async function ask(what = ""): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${live.processes()[0]?.port ?? 0}/${what}`);
  return answer.text();
}

test("what each takes is seen with its database, and to be looked at is no use of it", async () => {
  const usedMs = live.usage.lastMs();
  // A keeper, a shell that became Node, and PostgreSQL with what works for it.
  const use = await until(async () => {
    const [seen] = await stage.engine.uses.describe([live]);
    return seen !== undefined && seen.processes > 3 ? seen : undefined;
  });
  expect(useSchema.parse(use)).toEqual(use);
  expect(use).toMatchObject({ app: "watched", name: "development", state: "awake" });
  expect(use.memoryBytes).toBeGreaterThan(20e6);
  expect(use.databaseBytes).toBeGreaterThan(1e6);
  expect(use.connections).toBe(0);
  expect(live.usage.lastMs()).toBe(usedMs);
});

test("requests are counted by the second", async () => {
  await stage.engine.uses.look();
  const rates: number[] = [];
  const untilRate = async (isIt: (rate: number) => boolean): Promise<void> => {
    await until(async () => {
      await stage.engine.uses.look();
      rates.push(live.usage.sample.requestsPerSecond);
      return isIt(live.usage.sample.requestsPerSecond) || undefined;
    });
  };
  for (let count = 0; count < 30; count += 1) live.usage.serve()();
  await untilRate((rate) => rate > 0);
  await untilRate((rate) => rate === 0);
  expect(Math.max(...rates)).toBeGreaterThan(1);
});

test("who takes more of the processors than it may, and nothing bounds it, yields to all others", async () => {
  expect(await ask("cpu")).toBe("begun");
  const pid = live.processes()[0]?.pid ?? 0;
  const own = await stage.marked(live.record.id);
  const priorities = (): number[] =>
    own.filter(({ mark }) => mark.includes(".runtime")).map((one) => os.getPriority(one.pid));
  await until(() => priorities().every((priority) => priority === 19) || undefined);
  expect(os.getPriority(pid)).toBe(19);
  // Its database is not held for it.
  const database = own.find(({ mark }) => mark.endsWith(".database"));
  expect(os.getPriority(database?.pid ?? 0)).toBeLessThan(19);
  expect(await ask()).toBe("hog");
  expect(live.state()).toBe("awake");
});

test("what sleeps takes nothing", async () => {
  await live.sleep();
  await stage.engine.uses.look();
  expect(live.usage.sample).toEqual(NO_USE);
  const [use] = await stage.engine.uses.describe([live]);
  expect(use).toMatchObject({ state: "asleep", memoryBytes: 0, processes: 0, databaseBytes: null });
});

test("an environment that broke down is started again by a start, and nothing else", async () => {
  await live.wake();
  const problem = { code: "limit_exceeded", message: "It took too much.", remedy: "Take less." };
  await live.breakDown(problem);
  expect(live.state()).toBe("broken");
  expect(live.problems()).toEqual([problem]);
  expect(await stage.marked(live.record.id)).toEqual([]);
  await live.wake();
  expect(live.state()).toBe("broken");

  const options = { report: () => undefined, signal: new AbortController().signal };
  await stage.engine.start(live, options);
  expect(live.state()).toBe("awake");
  expect(live.problems()).toEqual([]);
});

test("who has thrown its mark away is counted, and ended with the others", async () => {
  const command = "env -i /bin/sh -c 'echo $$ > pid; while :; do sleep 1; done' & exec sleep 1000";
  const fled = { command, port: false };
  const app = await stage.createApp("fled", { processes: { fled }, database: false, sleep: "15m" });
  const readPid = async (): Promise<number | undefined> => {
    const file = path.join(app.record.files.path, "pid");
    const text = await readFile(file, "utf8").catch(() => ""); // Not written yet.
    return Number(text) || undefined;
  };
  const pid = await until(readPid);
  expect((await stage.marked(app.record.id)).map((one) => one.pid)).not.toContain(pid);
  await stage.engine.uses.look();
  expect(app.usage.sample.processes).toBeGreaterThan((await stage.marked(app.record.id)).length);
  await app.breakDown({ code: "limit_exceeded", message: "m", remedy: "r" });
  await until(() => (isRunning(pid) ? undefined : true));
  await stage.engine.deleteApp(app.record.app);
});
