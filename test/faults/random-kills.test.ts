/** `kill -9` of the server, or of one keeper or database, at random moments of random work. */
import { writeFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";

import { sleep } from "../../src/base/clock.ts";
import { environmentSchema } from "../../src/protocol/schemas.ts";
import type { EnvironmentView } from "../../src/protocol/schemas.ts";
import { directUrl } from "../journeys/direct.ts";
import { killHard, listProcesses, requireServer, watchAnswers } from "../journeys/machine.ts";
import { eventually, fetchJson, openStage } from "../journeys/stage.ts";
import type { Stage } from "../journeys/stage.ts";
import { randomOf, readPiece } from "./pieces.ts";

const { rounds, title } = readPiece("ROUNDS", 30);
/** Longer than a create or a delete takes on an idle machine. */
const LATEST_MS = 2_000;
const LIMIT_MS = 60_000;

const VICTIMS = ["server", "runtime.keeper", "database", "runtime"] as const;
const examined = z.object({ leftovers: z.array(z.unknown()) });
const listed = z.array(environmentSchema);

let stage: Stage;
let app: string;
let worktree: string;
let development: EnvironmentView;

beforeAll(async () => {
  stage = await openStage();
  app = await stage.copyApp("notes", ["pg"]);
  development = environmentSchema.parse(await stage.json(app, ["init"]));
  worktree = path.join(stage.folder, "worktree");
  await stage.git(app, "worktree", "add", "-q", worktree);
  // A tree that differs from its source's has migrations to run.
  const migration = path.join(worktree, "migrations", "2-paid.sql");
  await writeFile(migration, "alter table notes add column paid boolean;");
}, 120_000);
afterAll(async () => stage.close());

test(`after each of ${rounds.length} kills the environment is there or it is not, and nobody else notices (${title})`, async () => {
  const direct = await directUrl(stage, development);
  const watch = watchAnswers(direct);
  const [answer] = [JSON.stringify(await fetchJson(direct))];
  for (const round of rounds) {
    const random = randomOf(round);
    const victim = VICTIMS[Math.floor(random() * VICTIMS.length)] ?? "server";
    await runRound(victim, Math.floor(random() * LATEST_MS), random() < 0.5);
  }
  expect(await watch.stop()).toEqual([answer]);
});

/** Creates or deletes, whichever is due, or stops and starts it; kills meanwhile; and looks at what is left. */
async function runRound(
  victim: (typeof VICTIMS)[number],
  delayMs: number,
  isRest: boolean,
): Promise<void> {
  const isThere = (await list()).length === 2;
  const change = isThere
    ? ["env", "delete", "victim", "--force"]
    : ["env", "create", "victim", "--use"];
  const argv = isThere && isRest ? ["env", "stop", "victim"] : change;
  const working = stage.ramet(worktree, [...argv, "--json"]);
  await sleep(delayMs);
  await kill(victim);
  await working;
  await expectSound(`${argv.join(" ")}, ${victim} killed after ${delayMs} ms`);
}

async function kill(victim: (typeof VICTIMS)[number]): Promise<void> {
  if (victim === "server") {
    const { pid } = await requireServer(stage, app);
    await killHard(pid === null ? [] : [pid]);
    return;
  }
  const own = new Set((await listProcesses(stage, development.id)).map(({ pid }) => pid));
  const others = (await listProcesses(stage)).filter(
    ({ pid, role }) => !own.has(pid) && role === victim,
  );
  await killHard(others.map(({ pid }) => pid));
}

/** What any next command finds; `what` led to it. */
async function expectSound(what: string): Promise<void> {
  const environments = await list();
  const names = environments.map(({ name }) => name);
  expect({ what, names: new Set([...names, "development", "victim"]).size }).toEqual({
    what,
    names: 2,
  });
  expect({ what, ...examined.parse(await stage.json(app, ["doctor"])) }).toEqual({
    what,
    leftovers: [],
  });
  if (environments.length === 1) return;
  const { exitCode, stdout } = await stage.ramet(app, ["env", "start", "victim", "--json"]);
  expect({ what, exitCode, stdout }).toEqual({ what, exitCode: 0, stdout });
  const { url } = environmentSchema.parse(JSON.parse(stdout));
  await eventually(async () => {
    const answered = { what, answer: await fetchJson(url ?? "") };
    expect(answered).toMatchObject({ what, answer: { environment: "victim", notes: 1000 } });
  }, LIMIT_MS);
}

async function list(): Promise<readonly EnvironmentView[]> {
  return listed.parse(await stage.json(app, ["env", "list"]));
}
