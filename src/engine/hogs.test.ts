import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { openControlGroups } from "../limits/limits.ts";
import type { LiveEnvironment } from "./live/live-environment.ts";
import { runs, TestEngine, until } from "./test-engine.ts";

/** Small, so that a hog goes over them soon, and yet more than a Node program and its keeper take. */
const LIMITS = { memory: "200M", processes: 96, disk: "40M", cpus: 1 };
const BOUNDS = "HOG_SECONDS=20 HOG_MEGABYTES=500 HOG_FORKS=250";

let stage: TestEngine;
let neighbour: LiveEnvironment;

async function ask(live: LiveEnvironment, path = ""): Promise<string> {
  const port = live.processes()[0]?.port ?? 0;
  const answer = await fetch(`http://127.0.0.1:${port}/${path}`);
  return answer.text();
}

async function untilReady(live: LiveEnvironment): Promise<void> {
  await until(() => (live.processes()[0]?.state === "ready" ? true : undefined));
}

/** The problem that its breakdown leaves. */
async function untilBroken(live: LiveEnvironment): Promise<string> {
  await until(() => (live.state() === "broken" ? true : undefined));
  await until(async () => ((await stage.marked(live.record.id)).length === 0 ? true : undefined));
  return live.problems()[0]?.message ?? "";
}

describe.each(["looks", "control groups"] as const)("held by %s", (holder) => {
  let isGiven = true;

  beforeAll(async () => {
    stage = await TestEngine.open();
    if (holder === "control groups") {
      const groups = await openControlGroups(stage.layout.home.id);
      isGiven = groups?.controllers.has("memory") === true && groups.controllers.has("pids");
      await stage.reopen({ groups });
    }
    const web = { command: runs("serves.mjs") };
    neighbour = await stage.createApp("neighbour", { processes: { web }, database: false });
    await untilReady(neighbour);
  });
  afterAll(async () => stage.close());

  test.for([
    ["memory", /more than 200 MB of memory, its limit; (?:the kernel ended )?node \(pid \d+\)/],
    ["forks", /more than 96 processes and threads, its limit/],
    ["disk", /its files take up \d+ MB, more than 40 MB, its limit/],
  ] as const)(
    "who takes too much of it is ended and says so, and nobody else: %s",
    async ([hog, message], { skip }) => {
      if (!isGiven) skip("This machine gives us no control groups.");
      const web = { command: runs("hog.mjs", BOUNDS) };
      const manifest = { processes: { web }, database: false, limits: LIMITS };
      const live = await stage.createApp(`hog-${hog}`, manifest);
      await untilReady(live);
      const before = neighbour.processes();
      // Who was there before it took anything.
      await stage.engine.uses.look();
      expect(await ask(live, hog)).toBe("begun");
      expect(await untilBroken(live)).toMatch(message);
      expect(live.problems()[0]).toMatchObject({ code: "limit_exceeded" });
      expect(neighbour.processes()).toEqual(before);
      expect(await ask(neighbour)).toBe("app");
      await stage.engine.deleteApp(live.record.app);
    },
  );
});
