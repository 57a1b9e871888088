import { randomUUID } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { sleep } from "../../src/base/clock.ts";
import { isRunning, startDetached } from "../../src/process/process.ts";
import { doctorSchema, environmentSchema, queryResultSchema } from "../../src/protocol/schemas.ts";
import type { EnvironmentView } from "../../src/protocol/schemas.ts";
import { directUrl } from "./direct.ts";
import { eventually, fetchJson, fetchText, openStage, ROOT } from "./stage.ts";
import type { Stage } from "./stage.ts";

let stage: Stage;
let app: string;
let neighbour: string;
/** Its files differ from its source's: there are migrations to run. */
let worktree: string;
/** Its files are its source's: its processes are started before its record is there. */
let same: string;

beforeAll(async () => {
  stage = await openStage();
  app = await stage.copyApp("notes", ["pg"]);
  neighbour = await directUrl(stage, environmentSchema.parse(await stage.json(app, ["init"])));
  worktree = path.join(stage.folder, "worktree");
  await stage.git(app, "worktree", "add", "-q", worktree);
  same = path.join(stage.folder, "same");
  await stage.git(app, "worktree", "add", "-q", same);
  const migration = path.join(worktree, "migrations", "2-paid.sql");
  await writeFile(migration, "alter table notes add column paid boolean;");
});
afterAll(async () => stage.close());

/** More than a create or a delete has; the loop ends when one was survived. */
const MOST_STEPS = 40;
/** On a machine that has other work, too. */
const PATIENCE_MS = 30_000;

test("kill -9 of the server at every step of a create: the environment is there or it is not, and nobody else notices", async () => {
  const watch = watchNeighbour();
  const steps = await killAtEveryStep({
    folder: worktree,
    work: ["env", "create", "victim", "--use"],
    others: "standby",
    last: "before migrate",
  });
  expect(await watch.stop()).toEqual([]);
  expect(steps).toContain("before prepare");
  expect(steps).toContain("after record");
  expect(steps).toContain("before migrate");
}, 300_000);

test("kill -9 of the server at every step of a create whose processes start ahead: as before", async () => {
  const watch = watchNeighbour();
  const steps = await killAtEveryStep({
    folder: same,
    work: ["env", "create", "victim", "--use"],
    others: "standby",
    last: "after record",
  });
  expect(await watch.stop()).toEqual([]);
  expect(steps).toEqual(
    expect.arrayContaining(["before processes", "after processes", "before record"]),
  );
}, 300_000);

test("kill -9 of the server at every step of a create that promotes a standby: as before, and the source keeps nothing for it", async ({
  skip,
}) => {
  const { capabilities } = doctorSchema.parse(await stage.json(app, ["doctor"]));
  if (capabilities["reflink"] === true) skip("A copy shares its blocks here: no standby is made.");
  const steps = await killAtEveryStep({
    folder: same,
    ready: untilFollowed,
    work: ["env", "create", "victim", "--use"],
    last: "after record",
  });
  expect(steps).toEqual(expect.arrayContaining(["before prepare", "after database"]));
  await eventually(async () => {
    const ids = (await listStandbys()).map(({ id }) => `ramet_standby_${id}`);
    const sql = "select slot_name from pg_replication_slots where not temporary";
    const { rows } = queryResultSchema.parse(
      await stage.json(app, ["db", "query", sql, "--env", "development"]),
    );
    expect(rows.flat()).toEqual(ids);
  });
}, 300_000);

test("kill -9 of the server at every step of a delete: the environment is there or it is not, and nobody else notices", async () => {
  const watch = watchNeighbour();
  const steps = await killAtEveryStep({
    folder: worktree,
    before: ["env", "create", "victim", "--use"],
    work: ["env", "delete", "victim", "--force"],
    others: "standby",
    last: "after clearing",
  });
  expect(await watch.stop()).toEqual([]);
  expect(steps).toEqual(
    expect.arrayContaining([
      "before removal",
      "after removal",
      "before clearing",
      "after clearing",
    ]),
  );
}, 300_000);

test("kill -9 of the server at every step of a reset: the old database is there or the new one, and nobody else notices", async () => {
  const watch = watchNeighbour();
  const steps = await killAtEveryStep({
    folder: worktree,
    before: ["env", "create", "victim", "--use"],
    work: ["env", "reset", "victim", "--force"],
    others: "standby",
    last: "before migrate",
  });
  expect(await watch.stop()).toEqual([]);
  expect(steps).toEqual(
    expect.arrayContaining([
      "before replacement",
      "after replacement",
      "before switch",
      "before record",
      "after record",
    ]),
  );
}, 300_000);

async function listStandbys(): Promise<EnvironmentView["standbys"]> {
  return environmentSchema.parse(await stage.json(app, ["env", "show", "development"])).standbys;
}

/** One waits to be promoted, of a server that makes no other now. */
async function untilFollowed(): Promise<void> {
  await stage.json(app, ["env", "start", "development"]);
  await eventually(async () => {
    expect(await listStandbys()).toMatchObject([{ state: "following" }]);
  }, PATIENCE_MS);
}

type Campaign = {
  /** The workspace. */
  readonly folder: string;
  /** Waits for what the work needs. */
  readonly ready?: () => Promise<void>;
  readonly before?: readonly string[];
  readonly work: readonly string[];
  /** Steps of this ending are not the work's. */
  readonly others?: string;
  /** The work's last step: a server that passed it and lives has outlived the work. */
  readonly last: string;
};

/** Runs the work under a server that dies at step 1, 2, ... until it outlives the work; what is left is checked after each. */
async function killAtEveryStep({
  folder,
  ready,
  before,
  work,
  others,
  last,
}: Campaign): Promise<readonly string[]> {
  const steps: string[] = [];
  for (let number = 1; number <= MOST_STEPS; number += 1) {
    if (before !== undefined) await stage.json(folder, before);
    await ready?.();
    const server = await startDyingServer(number, others);
    const { exitCode } = await stage.ramet(folder, [...work, "--json"]);
    const step = exitCode === 0 ? await server.deathAfter(last) : await server.death();
    if (step === undefined) await leave();
    else steps.push(step);
    await expectSound();
    if (step === undefined) return steps;
  }
  throw new Error(`There are more than ${MOST_STEPS} steps.`);
}

/** What any next command finds: a whole environment or none, and nothing left over. */
async function expectSound(): Promise<void> {
  const listed = await stage.json(app, ["env", "list"]);
  expect(await stage.json(app, ["doctor"])).toMatchObject({ leftovers: [] });
  if (!Array.isArray(listed)) throw new Error("A list is a list.");
  if (listed.length === 1) return;
  const started = await stage.json(app, ["env", "start", "victim"]);
  expect(started).toMatchObject({ name: "victim", state: "awake", problems: [] });
  const url = "http://notes--victim.localhost";
  const gateway = await stage.json(app, ["server", "status"]);
  const gatewayPort =
    typeof gateway === "object" && gateway !== null && "gatewayPort" in gateway
      ? gateway.gatewayPort
      : 0;
  await eventually(async () => {
    expect(await fetchJson(`${url}:${String(gatewayPort)}`)).toMatchObject({
      environment: "victim",
      notes: 1000,
    });
  });
  await stage.json(app, ["env", "delete", "victim", "--force"]);
}

type DyingServer = {
  /** Waits until it is dead; resolves with its last step. */
  death(): Promise<string>;
  /** The same, or undefined once it has passed this step and lives. */
  deathAfter(last: string): Promise<string | undefined>;
};

async function startDyingServer(number: number, others?: string): Promise<DyingServer> {
  await stage.json(app, ["server", "status"]);
  await leave();
  const program = path.join(ROOT, "test", "programs", "dying-server.ts");
  // A file of its own: what an earlier one printed must not be taken for this one's.
  const output = path.join(stage.folder, `dying-${randomUUID()}.log`);
  const pid = await startDetached(
    {
      file: process.execPath,
      args: [program, stage.home, String(number), ...(others === undefined ? [] : [others])],
      folder: stage.folder,
      environment: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "/" },
      user: null,
    },
    { output },
  );
  await eventually(async () => expect(await readFile(output, "utf8")).toContain("Serving"));
  const readSteps = async (): Promise<readonly string[]> =>
    (await readFile(output, "utf8")).trim().split("\n");
  const death = async (): Promise<string> => {
    await eventually(async () => expect(isRunning(pid)).toBe(false), PATIENCE_MS);
    return (await readSteps()).at(-2) ?? "";
  };
  return {
    death,
    deathAfter: async (last) => {
      await eventually(async () => {
        const seen = await readSteps();
        expect([last, "killed"]).toContain(seen.find((step) => step === last) ?? seen.at(-1));
      }, PATIENCE_MS);
      return (await readSteps()).at(-1) === "killed" ? death() : undefined;
    },
  };
}

async function leave(): Promise<void> {
  const status = await stage.json(app, ["server", "status"]);
  const pid =
    typeof status === "object" && status !== null && "pid" in status ? Number(status.pid) : 0;
  if (pid === 0) return;
  process.kill(pid, "SIGTERM");
  await eventually(async () => expect(isRunning(pid)).toBe(false));
}

/** Asks the neighbour's own process, rows and all, every few milliseconds. */
function watchNeighbour(): { stop(): Promise<readonly string[]> } {
  const failures: string[] = [];
  const stop = new AbortController();
  const asking = (async () => {
    while (!stop.signal.aborted) {
      const answer = await ask();
      if (!answer.includes('"notes":1000')) failures.push(answer);
      await sleep(20);
    }
  })();
  return {
    stop: async () => {
      stop.abort();
      await asking;
      return failures;
    },
  };
}

async function ask(): Promise<string> {
  try {
    return (await fetchText(neighbour)).text;
  } catch (error) {
    return String(error);
  }
}
