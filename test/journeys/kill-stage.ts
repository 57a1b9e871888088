/** A server that dies at a step of some work, as by `kill -9`; and whether what it left is whole. */
import { randomUUID } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import { expect } from "vitest";
import { z } from "zod";

import { sleep } from "../../src/base/clock.ts";
import { isRunning, startDetached } from "../../src/process/process.ts";
import {
  doctorSchema,
  environmentSchema,
  queryResultSchema,
  serverStatusSchema,
} from "../../src/protocol/schemas.ts";
import type { EnvironmentView } from "../../src/protocol/schemas.ts";
import { directUrl } from "./direct.ts";
import { eventually, fetchJson, fetchText, openStage, ROOT } from "./stage.ts";
import type { Stage } from "./stage.ts";

/** More than any work has; the loop ends when one was survived. */
const MOST_STEPS = 40;
/** On a machine that has other work, too. */
const PATIENCE_MS = 30_000;

const CREATE = ["env", "create", "victim", "--use"];

export type Work = {
  readonly name: string;
  /** The workspace: `other` has files that its source lacks, so that there are migrations to run. */
  readonly workspace: "same" | "other";
  readonly before?: readonly string[];
  readonly argv: readonly string[];
  /** Whether a standby has to be there before it begins; else steps of standbys are not counted. */
  readonly needsStandby: boolean;
  /** Its last step: a server that passed it and lives has outlived the work. */
  readonly last: string;
  /** Steps, each with a whole of its own that a death there leaves. */
  readonly moments: readonly string[];
};

/** All that is made, changed or removed by one commit. */
export const WORKS: readonly Work[] = [
  {
    name: "a create",
    workspace: "other",
    argv: CREATE,
    needsStandby: false,
    last: "before migrate",
    moments: ["after prepare", "after database", "before migrate"],
  },
  {
    name: "a create whose processes start ahead",
    workspace: "same",
    argv: CREATE,
    needsStandby: false,
    last: "after record",
    moments: ["after processes"],
  },
  {
    name: "a create that promotes a standby",
    workspace: "same",
    argv: CREATE,
    needsStandby: true,
    last: "after record",
    moments: ["after prepare", "after database"],
  },
  {
    name: "a delete",
    workspace: "same",
    before: CREATE,
    argv: ["env", "delete", "victim", "--force"],
    needsStandby: false,
    last: "after clearing",
    moments: ["after removal"],
  },
  {
    name: "a reset",
    workspace: "other",
    before: CREATE,
    argv: ["env", "reset", "victim", "--force"],
    needsStandby: false,
    last: "before migrate",
    moments: ["after replacement", "before record", "after record"],
  },
  {
    name: "a reset that promotes a standby",
    workspace: "same",
    before: CREATE,
    argv: ["env", "reset", "victim", "--force"],
    needsStandby: true,
    last: "after record",
    moments: ["after move"],
  },
];

export type KillStage = {
  readonly stage: Stage;
  readonly app: string;
  readonly same: string;
  readonly other: string;
  /** The address of `development`'s own process. */
  readonly neighbour: string;
};

export async function openKillStage(): Promise<KillStage> {
  const stage = await openStage();
  const app = await stage.copyApp("notes", ["pg"]);
  const development = environmentSchema.parse(await stage.json(app, ["init"]));
  const [same, other] = [path.join(stage.folder, "same"), path.join(stage.folder, "other")];
  for (const folder of [same, other]) await stage.git(app, "worktree", "add", "-q", folder);
  const migration = path.join(other, "migrations", "2-paid.sql");
  await writeFile(migration, "alter table notes add column paid boolean;");
  return { stage, app, same, other, neighbour: await directUrl(stage, development) };
}

/** Why the work cannot be done on this machine. */
export async function findKillObstacle(
  { stage, app }: KillStage,
  { needsStandby }: Work,
): Promise<string | undefined> {
  if (!needsStandby) return undefined;
  const { capabilities } = doctorSchema.parse(await stage.json(app, ["doctor"]));
  return capabilities["reflink"] === true
    ? "A copy shares its blocks here: no standby is made."
    : undefined;
}

/** Resolves with the step at which the server died; what it left was whole, and nobody else noticed. */
export async function killAt(own: KillStage, work: Work, moment: string): Promise<string> {
  return unnoticed(own, async () => (await kill(own, work, moment)) ?? "it outlived the work");
}

/** Deaths at step 1, 2, ... until the work is outlived. Resolves with the steps. */
export async function killAtEveryStep(own: KillStage, work: Work): Promise<readonly string[]> {
  return unnoticed(own, async () => {
    const steps: string[] = [];
    while (steps.length < MOST_STEPS) {
      const step = await kill(own, work, steps.length + 1);
      if (step === undefined) return steps;
      steps.push(step);
    }
    throw new Error(`There are more than ${MOST_STEPS} steps.`);
  });
}

/** What the source keeps for standbys that are not there. */
export async function listForgottenStreams(own: KillStage): Promise<readonly unknown[]> {
  const sql = "select slot_name from pg_replication_slots where not temporary";
  const argv = ["db", "query", sql, "--env", "development"];
  const { rows } = queryResultSchema.parse(await own.stage.json(own.app, argv));
  const known = new Set((await listStandbys(own)).map(({ id }) => `ramet_standby_${id}`));
  return rows.flat().filter((name) => !known.has(String(name)));
}

/** undefined: the server outlived the work. */
async function kill(own: KillStage, work: Work, at: number | string): Promise<string | undefined> {
  const { stage } = own;
  const folder = own[work.workspace];
  if (work.before !== undefined) await stage.json(folder, work.before);
  if (work.needsStandby) await untilFollowed(own);
  const server = await startDyingServer(own, at, work.needsStandby ? [] : ["standby"]);
  const { exitCode } = await stage.ramet(folder, [...work.argv, "--json"]);
  const step = exitCode === 0 ? await deathAfter(server, work.last) : await deathOf(server);
  if (step === undefined) await leave(own);
  await expectSound(own);
  return step;
}

/** Whatever is done, `development` answers with all of its rows. */
async function unnoticed<T>({ neighbour }: KillStage, work: () => Promise<T>): Promise<T> {
  const failures: string[] = [];
  const stop = new AbortController();
  const asking = (async () => {
    while (!stop.signal.aborted) {
      const answer = await ask(neighbour);
      if (!answer.includes('"notes":1000')) failures.push(answer);
      await sleep(20);
    }
  })();
  try {
    return await work();
  } finally {
    stop.abort();
    await asking;
    expect(failures).toEqual([]);
  }
}

async function ask(url: string): Promise<string> {
  try {
    return (await fetchText(url)).text;
  } catch (error) {
    return String(error);
  }
}

async function listStandbys({ stage, app }: KillStage): Promise<EnvironmentView["standbys"]> {
  return environmentSchema.parse(await stage.json(app, ["env", "show", "development"])).standbys;
}

/** One waits to be promoted, of a server that makes no other now. */
async function untilFollowed(own: KillStage): Promise<void> {
  await own.stage.json(own.app, ["env", "start", "development"]);
  await eventually(async () => {
    expect(await listStandbys(own)).toMatchObject([{ state: "following" }]);
  }, PATIENCE_MS);
}

/** What any next command finds: a whole environment or none, and nothing left over. */
async function expectSound({ stage, app }: KillStage): Promise<void> {
  const listed = z.array(environmentSchema).parse(await stage.json(app, ["env", "list"]));
  expect(await stage.json(app, ["doctor"])).toMatchObject({ leftovers: [] });
  if (listed.length === 1) return;
  const started = environmentSchema.parse(await stage.json(app, ["env", "start", "victim"]));
  expect(started).toMatchObject({ name: "victim", state: "awake", problems: [] });
  await eventually(async () => {
    const answer = await fetchJson(started.url ?? "");
    expect(answer).toMatchObject({ environment: "victim", notes: 1000 });
  });
  await stage.json(app, ["env", "delete", "victim", "--force"]);
}

type DyingServer = { readonly pid: number; readonly output: string };

async function startDyingServer(
  own: KillStage,
  at: number | string,
  others: readonly string[],
): Promise<DyingServer> {
  await leave(own);
  const { stage } = own;
  const program = path.join(ROOT, "test", "programs", "dying-server.ts");
  // A file of its own: what an earlier one printed must not be taken for this one's.
  const output = path.join(stage.folder, `dying-${randomUUID()}.log`);
  const pid = await startDetached(
    {
      file: process.execPath,
      args: [program, stage.home, String(at), ...others],
      folder: stage.folder,
      environment: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "/" },
      user: null,
    },
    { output },
  );
  await eventually(async () => expect(await readFile(output, "utf8")).toContain("Serving"));
  return { pid, output };
}

/** Waits until it is dead; resolves with its last step. */
async function deathOf(server: DyingServer): Promise<string> {
  await eventually(async () => expect(isRunning(server.pid)).toBe(false), PATIENCE_MS);
  return (await readSteps(server)).at(-2) ?? "";
}

/** The same, or undefined once it has passed this step and lives. */
async function deathAfter(server: DyingServer, last: string): Promise<string | undefined> {
  await eventually(async () => {
    const seen = await readSteps(server);
    expect([last, "killed"]).toContain(seen.find((step) => step === last) ?? seen.at(-1));
  }, PATIENCE_MS);
  return (await readSteps(server)).at(-1) === "killed" ? deathOf(server) : undefined;
}

async function readSteps({ output }: DyingServer): Promise<readonly string[]> {
  return (await readFile(output, "utf8")).trim().split("\n");
}

async function leave({ stage, app }: KillStage): Promise<void> {
  const { pid } = serverStatusSchema.parse(await stage.json(app, ["server", "status"]));
  // None runs.
  if (pid === null) return;
  process.kill(pid, "SIGTERM");
  await eventually(async () => expect(isRunning(pid)).toBe(false));
}
