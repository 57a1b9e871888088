/** `kill -9` of a source's PostgreSQL, of one of its sessions, of a standby's, of a fork's, and of the server, while forks are made under load. */
import { readdir } from "node:fs/promises";
import path from "node:path";

import { afterEach, expect, test } from "vitest";
import { z } from "zod";

import { sleep, waitFor } from "../../src/base/clock.ts";
import { queryDatabase } from "../../src/database/database.ts";
import type { Database } from "../../src/database/database.ts";
import { readSmallFile } from "../../src/database/place/owned-files.ts";
import { APP_ROLE } from "../../src/database/place/settings.ts";
import { asAdmin } from "../../src/database/test-home.ts";
import { isRunning } from "../../src/process/process.ts";
import { environmentSchema } from "../../src/protocol/schemas.ts";
import type { EnvironmentView } from "../../src/protocol/schemas.ts";
import { killHard, requireServer } from "../journeys/machine.ts";
import { eventually, openStage } from "../journeys/stage.ts";
import type { Stage } from "../journeys/stage.ts";
import { openBankApp, openLayout, requireDatabase } from "./bank-app.ts";
import { findBankFaults } from "./bank.ts";
import type { Acknowledged } from "./bank.ts";
import { randomOf, readPiece } from "./pieces.ts";
import { findCorruption } from "./soundness.ts";
import { Transfers } from "./transfers.ts";

const { rounds, title } = readPiece("ROUNDS", 100);
/** Longer than the forks of one round take on an idle machine. */
const LATEST_MS = 1_500;
const FORKS = ["fork-1", "fork-2", "fork-3"] as const;
/** Of the source, once nothing holds any: what its own checkpoints keep, and what is ready to be written again. */
const MOST_WAL_BYTES = 320 * 2 ** 20;
/** Standbys are built behind everything else, after a pause that doubles with each failure. */
const FOLLOW_LIMIT_MS = 300_000;
const LIMIT_MS = 3_600_000;

/** How forks are made: without standbys, or as many of a round as there are by promotion and the rest by copy. */
const WAYS = {
  "without standbys": { warm: 0, victims: ["source", "session", "fork", "server"] },
  "with standbys": { warm: 2, victims: ["source", "standby", "session", "fork", "server"] },
} as const;
type Way = (typeof WAYS)[keyof typeof WAYS];
type Victim = Way["victims"][number];
const examined = z.object({ leftovers: z.array(z.unknown()) });
const listed = z.array(environmentSchema);

let stage: Stage;
let app: string;
let development: EnvironmentView;

async function open({ warm }: Way): Promise<void> {
  stage = await openStage();
  app = await openBankApp(stage, warm);
  development = environmentSchema.parse(await stage.json(app, ["env", "show", "development"]));
}
afterEach(async () => stage.close(), 60_000);

test.for(["without standbys", "with standbys"] as const)(
  `after each of ${rounds.length} kills %s source and forks are sound, and nothing is left over (${title})`,
  { timeout: LIMIT_MS },
  async (name, { annotate }) => {
    const way = WAYS[name];
    await open(way);
    const source = await requireDatabase(stage, "development");
    const transfers = new Transfers(() => loginOf(source), randomOf(rounds.length));
    const hits = new Map<Victim, number>();
    try {
      await untilWorking(transfers);
      for (const round of rounds) {
        const victim = way.victims[round % way.victims.length] ?? "server";
        const delayMs = Math.floor(randomOf(round)() * LATEST_MS);
        const standbys = await untilFollowed(way);
        const killed = await runRound(transfers, { round, victim, delayMs, standbys });
        hits.set(victim, (hits.get(victim) ?? 0) + killed);
      }
    } finally {
      await transfers.stop();
    }
    await annotate(`killed: ${JSON.stringify(Object.fromEntries(hits))}`);
    const chosen = new Set(rounds.map((round) => way.victims[round % way.victims.length]));
    expect([...hits.values()].filter((count) => count > 0)).toHaveLength(chosen.size);
    expect(transfers.losses).toEqual([]);
    expect(await measureWal(source)).toBeLessThan(MOST_WAL_BYTES);
  },
);

type Round = {
  readonly round: number;
  readonly victim: Victim;
  readonly delayMs: number;
  /** Ids of those that follow when it begins. */
  readonly standbys: readonly string[];
};

/** Makes forks at one moment, kills meanwhile, and looks at all that is there then. Resolves with how many it killed. */
async function runRound(transfers: Transfers, what: Round): Promise<number> {
  const { acknowledged } = transfers;
  const making = FORKS.map(async (name) => stage.ramet(app, ["env", "create", name, "--json"]));
  const killed = await killAfter(what);
  for (const { exitCode, stdout } of await Promise.all(making)) {
    // What a standby would have been, a copy is.
    const ends = what.victim === "standby" ? [0] : [0, 2];
    expect({ ...what, exitCode, stdout }).toEqual({
      ...what,
      exitCode: expect.toBeOneOf(ends),
      stdout,
    });
  }
  const names = listed.parse(await stage.json(app, ["env", "list"])).map(({ name }) => name);
  for (const name of names) {
    await stage.json(app, ["env", "start", name]);
    const database = await requireDatabase(stage, name);
    await untilAnswers(database);
    const faults = await findFaults(database, acknowledged);
    expect({ ...what, name, faults }).toEqual({ ...what, name, faults: [] });
    if (name !== "development") await stage.json(app, ["env", "delete", name, "--force"]);
  }
  await expectNothingLeft(what);
  await untilWorking(transfers);
  return killed;
}

/** Of the forks, and of standbys that are not there any more; of those that are, what they need is. */
async function expectNothingLeft(what: Round): Promise<void> {
  expect({ ...what, ...examined.parse(await stage.json(app, ["doctor"])) }).toEqual({
    ...what,
    leftovers: [],
  });
  const source = await requireDatabase(stage, "development");
  await eventually(async () => {
    const standbys = await listStandbys();
    const ids = standbys.map(({ id }) => id);
    const { data } = await openLayout(stage);
    const left = {
      traces: await countTraces(source, ids),
      folders: (await readdir(data)).toSorted(),
    };
    const folders = [development.id, ...ids].toSorted();
    expect({ ...what, ...left }).toEqual({ ...what, traces: 0, folders });
  });
}

async function listStandbys(): Promise<EnvironmentView["standbys"]> {
  return environmentSchema.parse(await stage.json(app, ["env", "show", "development"])).standbys;
}

/** Resolves with their ids once there are as many as there are to be. */
async function untilFollowed({ warm }: Way): Promise<readonly string[]> {
  return eventually(async () => {
    const standbys = await listStandbys();
    const following = standbys.filter(({ state }) => state === "following").map(({ id }) => id);
    expect(following).toHaveLength(warm);
    return following;
  }, FOLLOW_LIMIT_MS);
}

/** What forks leave in their source while they are made, and must not leave after that; standbys have a slot each. */
async function countTraces(source: Database, standbys: readonly string[]): Promise<number> {
  return asAdmin(source, async (admin) => {
    const { rows } = await admin.query<{ count: number }>(
      `SELECT (SELECT count(*) FROM pg_replication_slots WHERE slot_name <> ALL ($1))::int
        + (SELECT count(*) FROM pg_stat_activity WHERE usename = 'ramet' AND backend_type = 'client backend'
            AND pid <> pg_backend_pid())::int AS count`,
      [standbys.map((id) => `ramet_standby_${id}`)],
    );
    return rows[0]?.count ?? -1;
  });
}

/** A fork's PostgreSQL is waited for: it is there for the last steps of its making. A standby's is promoted early. */
async function killAfter(what: Round): Promise<number> {
  const { victim, delayMs } = what;
  if (victim === "fork") {
    const find = async (): Promise<true | undefined> =>
      (await findVictims(what)).length > 0 || undefined;
    await waitFor(find, { timeoutMs: 20_000, everyMs: 5 });
  }
  await sleep(victim === "fork" || victim === "standby" ? delayMs / 5 : delayMs);
  const pids = await findVictims(what);
  await killHard(pids);
  return pids.length;
}

async function findVictims({ victim, standbys }: Round): Promise<readonly number[]> {
  if (victim === "session") return findSession();
  if (victim === "server") {
    const { pid } = await requireServer(stage, app);
    return pid === null ? [] : [pid];
  }
  if (victim === "source") return findPostmaster(development.id);
  if (victim === "standby") return (await Promise.all(standbys.map(findPostmaster))).flat();
  const ids = await readdir((await openLayout(stage)).data);
  const others = ids.filter((id) => id !== development.id && !standbys.includes(id));
  return (await Promise.all(others.map(findPostmaster))).flat().slice(0, 1);
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
