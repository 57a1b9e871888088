import { afterAll, beforeAll, expect, test } from "vitest";

import { findBankFaults, BANK_SQL } from "../../../test/faults/bank.ts";
import { findCorruption } from "../../../test/faults/soundness.ts";
import { Transfers } from "../../../test/faults/transfers.ts";
import { createRandom } from "../../../test/random.ts";
import { waitFor } from "../../base/clock.ts";
import type { DatabasePlace } from "../../environment/places.ts";
import {
  createDatabase,
  createStandby,
  forkDatabase,
  listStreams,
  queryDatabase,
  stopDatabase,
} from "../database.ts";
import type { Database } from "../database.ts";
import { APP_ROLE } from "../place/settings.ts";
import { asAdmin, openTestHome } from "../test-home.ts";
import type { TestHome } from "../test-home.ts";

const ROUNDS = 3;
const SEED = 4;
let home: TestHome;
let bank: Database;

beforeAll(async () => {
  home = await openTestHome();
  const place = await home.createPlace();
  bank = { place, record: await createDatabase(home.postgres, place, "bank") };
  await ask(bank, BANK_SQL);
});
afterAll(async () => home.close());

async function ask(database: Database, sql: string): Promise<(string | null)[][]> {
  return (await queryDatabase(database, sql)).rows;
}

async function follow(): Promise<DatabasePlace> {
  const place = await home.createPlace();
  const { signal } = new AbortController();
  await createStandby(home.postgres, bank, { place, signal });
  return place;
}

async function promote(place: DatabasePlace): Promise<Database & { readonly detail: string }> {
  const target = { place, maskSql: null, standby: "ready" } as const;
  const { record, detail } = await forkDatabase(home.postgres, bank, target);
  return { place, record, detail };
}

function startTransfers(): Transfers {
  const { name: database, appPassword: password } = bank.record;
  const login = { host: bank.place.socketFolder, user: APP_ROLE, password, database };
  return new Transfers(() => login, createRandom(SEED));
}

/** Whoever was promoted reads no more. */
async function isReleased(): Promise<true | undefined> {
  return (await listStreams(bank)).every(({ isActive }) => !isActive) ? true : undefined;
}

test("forks by promotion of a source under load: no statement of it fails, and each has all that was acknowledged", async () => {
  const transfers = startTransfers();
  for (let round = 1; round <= ROUNDS; round += 1) {
    const place = await follow();
    const moves = (): true | undefined =>
      transfers.acknowledged.every((number) => number > 5 * round) ? true : undefined;
    expect(await waitFor(moves, { timeoutMs: 30_000 })).toBe(true);
    const { acknowledged } = transfers;
    const fork = await promote(place);
    expect(fork.detail).toBe("promoted a standby");
    const faults = await findBankFaults(async (sql) => ask(fork, sql), acknowledged);
    const corruption = await asAdmin(fork, findCorruption, "bank");
    expect([...faults, ...corruption]).toEqual([]);
    await stopDatabase(place);
  }
  await transfers.stop();
  expect(transfers).toMatchObject({ failures: [], losses: [] });
  expect(await waitFor(isReleased, { timeoutMs: 30_000 })).toBe(true);
}, 180_000);

test("several standbys follow one source, and all can be promoted at once", async () => {
  const places = await Promise.all([follow(), follow(), follow()]);
  await ask(bank, "CREATE TABLE last AS SELECT 1 AS n");
  const forks = await Promise.all(places.map(async (place) => promote(place)));
  expect(new Set(forks.map(({ record }) => record.appPassword)).size).toBe(forks.length);
  for (const fork of forks) {
    expect(fork.detail).toBe("promoted a standby");
    expect(await ask(fork, "SELECT n FROM last")).toEqual([["1"]]);
    await stopDatabase(fork.place);
  }
}, 60_000);
