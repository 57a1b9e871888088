/** Restarts and kills of the server, under load: whatever runs goes on and is taken up; how long a WebSocket is cut is told. */
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { sleep } from "../../src/base/clock.ts";
import { isRunning, signalProcess } from "../../src/process/process.ts";
import { environmentSchema } from "../../src/protocol/schemas.ts";
import type { EnvironmentView } from "../../src/protocol/schemas.ts";
import { directUrl } from "../journeys/direct.ts";
import {
  killHard,
  killServer,
  listProcesses,
  requireServer,
  reservePorts,
  show,
  watchAnswers,
} from "../journeys/machine.ts";
import { eventually, fetchJson, openStage } from "../journeys/stage.ts";
import type { Stage } from "../journeys/stage.ts";
import { type Answer, answer, Chatter, copyHeldApp } from "./held-app.ts";
import { randomOf, readPiece } from "./pieces.ts";

const { rounds, title } = readPiece("ROUNDS", 50);
const FORKS = ["one", "two"];
const LATEST_MS = 300;

let stage: Stage;
let app: string;
let environments: readonly EnvironmentView[];

beforeAll(async () => {
  stage = await openStage();
  await reservePorts(stage);
  app = await copyHeldApp(stage);
  const made = [environmentSchema.parse(await stage.json(app, ["init"]))];
  for (const name of FORKS) {
    const worktree = path.join(stage.folder, name);
    await stage.git(app, "worktree", "add", "-q", worktree);
    made.push(
      environmentSchema.parse(await stage.json(worktree, ["env", "create", name, "--use"])),
    );
  }
  environments = made;
}, 180_000);
afterAll(async () => stage.close());

const INTERRUPTIONS = {
  restart: async () => void (await stage.json(app, ["server", "restart"])),
  kill: async () => killServer(stage, app),
  signal: async () => {
    const { pid } = await requireServer(stage, app);
    if (pid !== null) await askToLeave(pid);
  },
  /** As it starts, and takes up what runs. */
  "kill of a start": async (random: () => number) => {
    await killServer(stage, app);
    const starting = stage.ramet(app, ["app", "list"]);
    await sleep(random() * LATEST_MS);
    const { pid } = await requireServer(stage, app);
    await killHard(pid === null ? [] : [pid]);
    await starting;
  },
} as const;
type Interruption = keyof typeof INTERRUPTIONS;

/** One that leaves still answers: it is waited for. */
async function askToLeave(pid: number): Promise<void> {
  signalProcess(pid, "SIGTERM");
  await eventually(async () => expect(isRunning(pid)).toBe(false));
}

async function askAll(): Promise<readonly Answer[]> {
  const urls = environments.map(({ url }) => url ?? "");
  return Promise.all(
    urls.map(async (url) => eventually(async () => answer.parse(await fetchJson(url)))),
  );
}

async function listRunning(): Promise<readonly string[]> {
  const lists = environments.map(async ({ id }) => listProcesses(stage, id));
  const lasting = (await Promise.all(lists)).flat().filter(({ role }) => role !== "database.step");
  return lasting
    .filter(({ role }) => role.endsWith("keeper"))
    .map(({ pid, role }) => `${role} ${pid}`)
    .toSorted();
}

test(`${rounds.length} restarts and kills of the server interrupt no process, session or sandbox (${title})`, async () => {
  const before = await askAll();
  const keepers = await listRunning();
  const inside = await Promise.all(environments.map(async (one) => directUrl(stage, one)));
  const watches = inside.map(watchAnswers);
  const within = inside.map((url) => new Chatter(url));
  const through = environments.map(({ url }) => new Chatter(url ?? ""));
  const cuts = new Map<Interruption, number[]>();
  for (const round of rounds) {
    const random = randomOf(round);
    const kinds: readonly Interruption[] = ["restart", "kill", "signal", "kill of a start"];
    const kind = kinds[Math.floor(random() * kinds.length)] ?? "kill";
    const known = through.map(({ cutsMs }) => cutsMs.length);
    await INTERRUPTIONS[kind](random);
    await requireServer(stage, app);
    expect({ round, kind, answers: await askAll() }).toEqual({ round, kind, answers: before });
    await eventually(async () => {
      expect(through.every(({ cutsMs }, at) => cutsMs.length > (known[at] ?? 0))).toBe(true);
    });
    const seen = through.flatMap(({ cutsMs }, at) => cutsMs.slice(known[at]));
    cuts.set(kind, [...(cuts.get(kind) ?? []), ...seen]);
  }
  await Promise.all([...within, ...through].map(async (chatter) => chatter.stop()));
  process.stdout.write(`${[...cuts].map(formatCuts).join("\n")}\n`);

  expect(await Promise.all(watches.map(async (watch) => watch.stop()))).toEqual(
    before.map((one) => [JSON.stringify(one)]),
  );
  expect(within.map(({ cutsMs }) => cutsMs)).toEqual(within.map(() => []));
  expect(await listRunning()).toEqual(keepers);
  for (const { name } of environments)
    expect(await show(stage, app, name)).toMatchObject({ state: "awake", problems: [] });
  expect(await stage.json(app, ["doctor"])).toMatchObject({ leftovers: [] });
});

function formatCuts([kind, cutsMs]: readonly [string, readonly number[]]): string {
  const sorted = cutsMs.toSorted((one, other) => one - other);
  const at = (part: number): string =>
    `${(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0).toFixed(0)} ms`;
  return `${kind}: ${sorted.length} WebSockets through the gateway cut for ${at(0.5)} (median), ${at(0.9)} (p90), ${at(1)} at most`;
}
