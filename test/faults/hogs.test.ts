/** What takes all that it can get, for half a minute each: its environment ends broken, or is held, and its neighbour goes on. */
import { cp, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { monotonicMs, sleep } from "../../src/base/clock.ts";
import { environmentSchema } from "../../src/protocol/schemas.ts";
import type { EnvironmentView } from "../../src/protocol/schemas.ts";
import { show } from "../journeys/machine.ts";
import { eventually, fetchText, openStage, ROOT } from "../journeys/stage.ts";
import type { Stage } from "../journeys/stage.ts";

const SECONDS = Number(process.env["HOG_SECONDS"] ?? 30);
const EVERY_MS = 5;
const LIMITS = { memory: "400M", cpus: 1, processes: 200, disk: "150M" };
/** Bounds of the hog itself, should nobody hold it. */
const BOUNDS = `HOG_SECONDS=${SECONDS} HOG_MEGABYTES=1200 HOG_FORKS=1000 HOG_FILES=40000`;

let stage: Stage;
let neighbour: EnvironmentView;

beforeAll(async () => {
  stage = await openStage();
  const app = await makeApp("neighbour", { command: "node hog.mjs" }, {});
  neighbour = environmentSchema.parse(await stage.json(app, ["init"]));
}, 120_000);
afterAll(async () => stage.close(), 60_000);

async function makeApp(name: string, web: object, others: object): Promise<string> {
  const app = path.join(stage.folder, name);
  await cp(path.join(ROOT, "test", "programs", "hog.mjs"), path.join(app, "hog.mjs"));
  const manifest = { app: name, processes: { web }, database: false, ...others };
  await writeFile(path.join(app, "ramet.json"), JSON.stringify(manifest));
  await stage.git(app, "init", "-q");
  return app;
}

type Watched = { readonly p99Ms: number; readonly longestAnswerMs: number; readonly wrong: number };

/** Asks the neighbour all the while, and the server every second. */
async function watch(forMs: number): Promise<Watched> {
  const end = monotonicMs() + forMs;
  const [figures, answers]: [number[], number[]] = [[], []];
  let wrong = 0;
  const askNeighbour = async (): Promise<void> => {
    for (; monotonicMs() < end; await sleep(EVERY_MS)) {
      const began = monotonicMs();
      const { text } = await fetchText(neighbour.url ?? "");
      figures.push(monotonicMs() - began);
      if (text !== "hog") wrong += 1;
    }
  };
  const askServer = async (): Promise<void> => {
    for (; monotonicMs() < end; await sleep(1_000)) {
      const began = monotonicMs();
      await stage.json(neighbour.files.path, ["env", "list", "--all"]);
      answers.push(monotonicMs() - began);
    }
  };
  await Promise.all([askNeighbour(), askServer()]);
  const sorted = figures.toSorted((one, other) => one - other);
  const p99Ms = sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN;
  return { p99Ms, longestAnswerMs: Math.max(...answers), wrong };
}

test.each([
  ["forks", "broken", ["limit_exceeded"]],
  ["memory", "broken", ["limit_exceeded"]],
  ["disk", "broken", ["limit_exceeded"]],
  ["files", "awake", []],
  ["log", "awake", []],
  ["cpu", "awake", []],
] as const)(
  "a hog of %s is %s in the end, its neighbour answers all the while, and so does the server",
  async (hog, state, codes) => {
    const before = await watch(5_000);
    const command = `${BOUNDS} exec node hog.mjs`;
    const app = await makeApp(`hog-${hog}`, { command }, { limits: LIMITS });
    const made = environmentSchema.parse(await stage.json(app, ["init"]));
    expect((await fetchText(`${made.url}/${hog}`)).text).toBe("begun");
    const during = await watch(SECONDS * 1000);
    const described = await eventually(async () => {
      const shown = await show(stage, app, "development");
      expect(shown.state).toBe(state);
      return shown;
    });
    process.stdout.write(
      `${hog}: p99 ${before.p99Ms.toFixed(1)} ms before, ${during.p99Ms.toFixed(1)} ms during; the server took ${during.longestAnswerMs.toFixed(0)} ms at most; ${described.problems[0]?.message ?? "held"}\n`,
    );
    expect(during.wrong).toBe(0);
    expect(described.problems.map(({ code }) => code)).toEqual(codes);
    expect((await show(stage, neighbour.files.path, "development")).problems).toEqual([]);
    await stage.json(app, ["app", "delete", `hog-${hog}`, "--force"]);
    expect(await stage.json(neighbour.files.path, ["doctor"])).toMatchObject({ leftovers: [] });
  },
);
