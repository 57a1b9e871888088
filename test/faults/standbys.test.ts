/** Standbys of a source that is written to all the while, and killed now and then: what a fork promotes is of one moment. */
import path from "node:path";

import { afterEach, expect, test } from "vitest";

import { waitFor } from "../../src/base/clock.ts";
import { removeInside } from "../../src/base/remove-inside.ts";
import { UndoStack } from "../../src/base/undo-stack.ts";
import {
  createDatabase,
  createStandby,
  endStreams,
  forkDatabase,
  listStreams,
  queryDatabase,
  startDatabase,
  stopDatabase,
} from "../../src/database/database.ts";
import type { Database } from "../../src/database/database.ts";
import { APP_ROLE } from "../../src/database/place/settings.ts";
import { findPostmaster } from "../../src/database/server/postmaster.ts";
import { asAdmin, openTestHome } from "../../src/database/test-home.ts";
import type { TestHome } from "../../src/database/test-home.ts";
import type { DatabasePlace } from "../../src/environment/places.ts";
import { findFamily, isRunning, signalProcess } from "../../src/process/process.ts";
import { BANK_SQL, findBankFaults } from "./bank.ts";
import { randomOf, readPiece } from "./pieces.ts";
import { findCorruption } from "./soundness.ts";
import { Transfers } from "./transfers.ts";

const { rounds, title } = readPiece("PROMOTIONS", 60);
const LIMIT_MS = 1_800_000;
const STEP_LIMIT_MS = 60_000;

const undo = new UndoStack();
afterEach(async () => undo.undo());

test(
  `${rounds.length} forks by promotion of a source that is killed now and then: no sum is broken, no commit lost (${title})`,
  { timeout: LIMIT_MS },
  async () => {
    const home = await openTestHome();
    undo.push(async () => home.close());
    const bank = await openBank(home);
    const transfers = new Transfers(() => loginOf(bank), randomOf(rounds.length));
    undo.push(async () => transfers.stop());
    for (const made of rounds) {
      const place = await follow(home, bank);
      const chance = randomOf(made)();
      if (chance < 0.15) await killAndStart(home, bank.place);
      else if (chance < 0.3) await killAndStart(home, place);
      await untilMoved(transfers);
      const { acknowledged } = transfers;
      const fork = await promote(home, bank, place);
      const faults = await findBankFaults(
        async (sql) => (await queryDatabase(fork, sql)).rows,
        acknowledged,
      );
      const corruption = await asAdmin(fork, findCorruption, "bank");
      expect({ made, detail: fork.detail, faults, corruption }).toMatchObject({
        made,
        detail: expect.stringMatching(/^(promoted a standby$|copied .*: the standby )/),
        faults: [],
        corruption: [],
      });
      await stopDatabase(place);
      await removeInside(path.dirname(place.folder), place.folder);
    }
    await transfers.stop();
    expect(transfers.losses).toEqual([]);
    await endAll(bank);
  },
);

async function openBank(home: TestHome): Promise<Database> {
  const place = await home.createPlace();
  const bank = { place, record: await createDatabase(home.postgres, place, "bank") };
  await queryDatabase(bank, BANK_SQL);
  return bank;
}

function loginOf({ place, record }: Database): object {
  const { name: database, appPassword: password } = record;
  return { host: place.socketFolder, user: APP_ROLE, password, database };
}

async function follow(home: TestHome, bank: Database): Promise<DatabasePlace> {
  const place = await home.createPlace();
  const { signal } = new AbortController();
  await createStandby(home.postgres, bank, { place, signal });
  return place;
}

async function promote(
  home: TestHome,
  bank: Database,
  place: DatabasePlace,
): Promise<Database & { readonly detail: string }> {
  const target = { place, maskSql: null, standby: "ready" } as const;
  const { record, detail } = await forkDatabase(home.postgres, bank, target);
  return { place, record, detail };
}

/** As `kill -9` of all its processes at once, and the start that mends it. */
async function killAndStart(home: TestHome, place: DatabasePlace): Promise<void> {
  const pid = await findPostmaster(place);
  if (pid === undefined) throw new Error("It runs.");
  const family = await findFamily(pid);
  for (const member of [pid, ...family]) if (isRunning(member)) signalProcess(member, "SIGKILL");
  await waitFor(() => (family.some(isRunning) ? undefined : true), { timeoutMs: STEP_LIMIT_MS });
  await startDatabase(home.postgres, place);
}

async function untilMoved(transfers: Transfers): Promise<void> {
  const before = transfers.acknowledged;
  const moved = (): true | undefined =>
    transfers.acknowledged.every((number, lane) => number > (before[lane] ?? 0)) ? true : undefined;
  expect(await waitFor(moved, { timeoutMs: STEP_LIMIT_MS })).toBe(true);
}

/** What is kept for standbys can be let go of, once nobody reads it. */
async function endAll(bank: Database): Promise<void> {
  const ended = await waitFor(
    async () => {
      const ids = (await listStreams(bank)).map(({ id }) => id);
      await endStreams(bank, ids);
      return ids.length === 0 ? true : undefined;
    },
    { timeoutMs: STEP_LIMIT_MS },
  );
  expect(ended).toBe(true);
}
