import { afterAll, beforeAll, expect, test } from "vitest";

import { queryDatabase } from "../database/database.ts";
import { readLog } from "../runtime/runtime.ts";
import type { LiveEnvironment } from "./live/live-environment.ts";
import { runs, TestEngine, until } from "./test-engine.ts";

let stage: TestEngine;

beforeAll(async () => {
  stage = await TestEngine.open();
  await stage.writeApp("shop", { "mask.sql": "update notes set text = 'masked'" });
  const source = await stage.createApp("shop", {
    processes: { web: { command: runs("asks-at-once.mjs") } },
    database: { mask: "mask.sql" },
  });
  await source.withDatabase(async (database) => {
    if (database === null) throw new Error("It has a database.");
    await queryDatabase(database, "create table notes as select 'secret' as text");
  });
});
afterAll(async () => stage.close());

async function portOf(live: LiveEnvironment): Promise<number> {
  return until(() => {
    const [web] = live.processes();
    return web?.state === "ready" ? (web.port ?? undefined) : undefined;
  });
}

async function countStarts(live: LiveEnvironment): Promise<number> {
  const lines = await readLog(live.logs, { process: "web", last: 100 });
  return lines.filter(({ text }) => text.startsWith("starts:")).length;
}

/** The marks of processes that belong to no environment that is there yet. */
async function findAhead(): Promise<string | undefined> {
  const own = stage.engine.registry.list(null).map(({ record }) => record.id);
  const marks = (await stage.marked()).map(({ mark }) => mark);
  return marks.find((mark) => mark.endsWith(".runtime") && !own.some((id) => mark.includes(id)));
}

test("a process that runs before its database is ready gets its answers from the masked rows, and is started once", async () => {
  const steps: string[] = [];
  stage.checkpoint = async (step) => {
    // The database is there, and nothing of it is committed: the process runs already, and waits.
    if (step === "before record") steps.push(await until(findAhead));
  };
  const fork = await stage.fork("shop", "agent");

  expect(steps).toEqual([expect.stringContaining(fork.record.id)]);
  const answer = await fetch(`http://127.0.0.1:${await portOf(fork)}`);
  expect(await answer.json()).toEqual([{ text: "masked" }]);
  expect(await countStarts(fork)).toBe(1);
});

test("a fork that fails at its mask leaves no process that was started ahead", async () => {
  await stage.writeApp("shop", { "mask.sql": "update nothing set text = 'masked'" });

  await expect(stage.fork("shop", "failing")).rejects.toMatchObject({ code: "mask_failed" });

  expect(await findAhead()).toBeUndefined();
  expect(stage.engine.registry.find("shop", "failing")).toBeUndefined();
});

test("one that wakes runs while its database still starts, gets its answers once that serves, and is started once", async () => {
  const live = stage.engine.registry.require("shop", "agent");
  await live.sleep();
  const before = await countStarts(live);
  stage.checkpoint = async (step) => {
    if (step !== "before its start") return;
    await until(async () => ((await countStarts(live)) > before ? true : undefined));
  };
  await live.wake();

  const answer = await fetch(`http://127.0.0.1:${await portOf(live)}`);
  expect(await answer.json()).toEqual([{ text: "masked" }]);
  expect(await countStarts(live)).toBe(before + 1);
});
