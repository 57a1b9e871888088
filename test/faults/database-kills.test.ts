/** `kill -9` of a source's PostgreSQL, of one of its sessions, of a fork's, and of the server, while forks are made under load. */
import { randomInt } from "node:crypto";
import { readdir } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";

import { sleep, waitFor } from "../../src/base/clock.ts";
import { queryDatabase } from "../../src/database/database.ts";
import type { Database } from "../../src/database/database.ts";
import { readSmallFile } from "../../src/database/owned-files.ts";
import { APP_ROLE } from "../../src/database/settings.ts";
import { asAdmin, untilNoTraces } from "../../src/database/test-home.ts";
import { isRunning } from "../../src/process/process.ts";
import { environmentSchema } from "../../src/protocol/schemas.ts";
import type { EnvironmentView } from "../../src/protocol/schemas.ts";
import { killHard, requireServer } from "../journeys/machine.ts";
import { eventually, openStage } from "../journeys/stage.ts";
import type { Stage } from "../journeys/stage.ts";
import { openBankApp, openLayout, requireDatabase } from "./bank-app.ts";
import { findBankFaults } from "./bank.ts";
import type { Acknowledged } from "./bank.ts";
import { createRandom } from "./random.ts";
import { findCorruption } from "./soundness.ts";
import { Transfers } from "./transfers.ts";

/** How often, and with which random numbers: the same seed makes the same choices. */
const ROUNDS = Number(process.env["RAMET_FAULT_ROUNDS"] ?? 100);
const SEED = Number(process.env["RAMET_FAULT_SEED"] ?? randomInt(2 ** 31));
/** Longer than the forks of one round take on an idle machine. */
const LATEST_MS = 1_500;
const FORKS = ["fork-1", "fork-2", "fork-3"] as const;
/** Of the source, once nothing holds any: what its own checkpoints keep. */
const MOST_WAL_BYTES = 64 * 2 ** 20;
const LIMIT_MS = 1_800_000;

const VICTIMS = ["source", "session", "fork", "server"] as const;
type Victim = (typeof VICTIMS)[number];
const examined = z.object({ leftovers: z.array(z.unknown()) });
const listed = z.array(environmentSchema);

let stage: Stage;
let app: string;
let development: EnvironmentView;

beforeAll(async () => {
  stage = await openStage();
  app = await openBankApp(stage);
  development = environmentSchema.parse(await stage.json(app, ["env", "show", "development"]));
}, 120_000);
afterAll(async () => stage.close());

test(
  `after each of ${ROUNDS} kills source and forks are sound, and nothing is left over (seed ${SEED})`,
  { timeout: LIMIT_MS },
  async ({ annotate }) => {
    const random = createRandom(SEED);
    const source = await requireDatabase(stage, "development");
    const transfers = new Transfers(() => loginOf(source), createRandom(SEED + 1));
    const hits = new Map<Victim, number>(VICTIMS.map((victim) => [victim, 0]));
    try {
      await untilWorking(transfers);
      for (let round = 0; round < ROUNDS; round += 1) {
        const victim = VICTIMS[round % VICTIMS.length] ?? "server";
        const delayMs = Math.floor(random() * LATEST_MS);
        const killed = await runRound(transfers, { round, victim, delayMs });
        hits.set(victim, (hits.get(victim) ?? 0) + killed);
      }
    } finally {
      await transfers.stop();
    }
    await annotate(`killed: ${JSON.stringify(Object.fromEntries(hits))}`);
    expect([...hits.values()].every((count) => count > 0)).toBe(true);
    expect(transfers.losses).toEqual([]);
    expect(await measureWal(source)).toBeLessThan(MOST_WAL_BYTES);
  },
);

type Round = { readonly round: number; readonly victim: Victim; readonly delayMs: number };

/** Makes forks at one moment, kills meanwhile, and looks at all that is there then. Resolves with how many it killed. */
async function runRound(transfers: Transfers, what: Round): Promise<number> {
  const { acknowledged } = transfers;
  const making = FORKS.map(async (name) => stage.ramet(app, ["env", "create", name, "--json"]));
  const killed = await killAfter(what);
  for (const { exitCode, stdout } of await Promise.all(making))
    expect({ ...what, exitCode, stdout }).toEqual({
      ...what,
      exitCode: expect.toBeOneOf([0, 2]),
      stdout,
    });
  const names = listed.parse(await stage.json(app, ["env", "list"])).map(({ name }) => name);
  for (const name of names) {
    await stage.json(app, ["env", "start", name]);
    const database = await requireDatabase(stage, name);
    await untilAnswers(database);
    const faults = await findFaults(database, acknowledged);
    expect({ ...what, name, faults }).toEqual({ ...what, name, faults: [] });
    if (name !== "development") await stage.json(app, ["env", "delete", name, "--force"]);
  }
  expect({ ...what, ...examined.parse(await stage.json(app, ["doctor"])) }).toEqual({
    ...what,
    leftovers: [],
  });
  const source = await requireDatabase(stage, "development");
  const left = {
    traces: await untilNoTraces(source),
    folders: await readdir((await openLayout(stage)).data),
  };
  expect({ ...what, ...left }).toEqual({ ...what, traces: 0, folders: [development.id] });
  await untilWorking(transfers);
  return killed;
}

/** A fork's PostgreSQL is waited for: it is there for the last steps of its making. */
async function killAfter({ victim, delayMs }: Round): Promise<number> {
  if (victim === "fork") {
    const find = async (): Promise<true | undefined> =>
      (await findVictims(victim)).length > 0 || undefined;
    await waitFor(find, { timeoutMs: 20_000, everyMs: 5 });
  }
  await sleep(victim === "fork" ? delayMs / 5 : delayMs);
  const pids = await findVictims(victim);
  await killHard(pids);
  return pids.length;
}

async function findVictims(victim: Victim): Promise<readonly number[]> {
  if (victim === "session") return findSession();
  if (victim === "server") {
    const { pid } = await requireServer(stage, app);
    return pid === null ? [] : [pid];
  }
  if (victim === "source") return findPostmaster(development.id);
  const ids = await readdir((await openLayout(stage)).data);
  const forks = await Promise.all(ids.filter((id) => id !== development.id).map(findPostmaster));
  return forks.flat().slice(0, 1);
}

async function findPostmaster(id: string): Promise<readonly number[]> {
  const { data } = await openLayout(stage);
  const lock = readSmallFile(path.join(data, id, "database", "postmaster.pid"));
  const pid = Number(lock?.toString().split("\n")[0]);
  return pid > 1 && isRunning(pid) ? [pid] : [];
}

/** One that copies, where there is one: its end makes the whole server start anew. */
async function findSession(): Promise<readonly number[]> {
  const source = await requireDatabase(stage, "development");
  return asAdmin(source, async (admin) => {
    const { rows } = await admin.query<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
       ORDER BY query LIKE '%pg_backup%' DESC, pid LIMIT 1`,
    );
    return rows.map(({ pid }) => pid);
  });
}

function loginOf({ place, record }: Database): object {
  const { name: database, appPassword: password } = record;
  return { host: place.socketFolder, user: APP_ROLE, password, database };
}

/** Each lane has moved money again since now. */
async function untilWorking(transfers: Transfers): Promise<void> {
  const before = transfers.acknowledged;
  const works = (): true | undefined =>
    transfers.acknowledged.every((number, lane) => number > (before[lane] ?? 0)) ? true : undefined;
  const isWorking = await waitFor(works, { timeoutMs: 60_000 });
  expect({ isWorking, last: transfers.failures.at(-1) }).toMatchObject({ isWorking: true });
}

/** One that was killed a moment ago is started again within a second. */
async function untilAnswers(database: Database): Promise<void> {
  await eventually(async () => queryDatabase(database, "SELECT 1"));
}

async function findFaults(
  database: Database,
  acknowledged: Acknowledged,
): Promise<readonly string[]> {
  const ask = async (sql: string) => (await queryDatabase(database, sql)).rows;
  const faults = await findBankFaults(ask, acknowledged);
  return [...faults, ...(await asAdmin(database, findCorruption, database.record.name))];
}

/** Bytes of WAL that the source keeps after a checkpoint. */
async function measureWal(source: Database): Promise<number> {
  return asAdmin(source, async (admin) => {
    await admin.query("CHECKPOINT");
    await admin.query("CHECKPOINT");
    const { rows } = await admin.query<{ bytes: string }>(
      "SELECT sum(size) AS bytes FROM pg_ls_waldir()",
    );
    return Number(rows[0]?.bytes);
  });
}
