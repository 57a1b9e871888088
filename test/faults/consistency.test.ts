/** Forks of a source that is written to all the while: each is of one moment, none lacks what was committed before. */
import { open } from "node:fs/promises";
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
import { asAdmin, openTestHome, untilNoTraces } from "../../src/database/test-home.ts";
import type { TestHome } from "../../src/database/test-home.ts";
import type { DatabasePlace } from "../../src/environment/places.ts";
import { findObstacle, openDisk } from "../disk.ts";
import { BANK_SQL, countHalfTables, findBankFaults } from "./bank.ts";
import type { Acknowledged, Ask } from "./bank.ts";
import { randomOf, readPiece } from "./pieces.ts";
import { findCorruption } from "./soundness.ts";
import { Transfers } from "./transfers.ts";

/** In each way. */
const { rounds, title } = readPiece("FORKS", 200);
/** Begun at one moment: more than may be copied at a time. */
const MOST_AT_ONCE = 10;
const LIMIT_MS = 1_800_000;

/** Each copy is removed once it is checked; what they share stays on the disk. */
const DISK_MEGABYTES = 8_000;

const undo = new UndoStack();
afterEach(async () => undo.undo());

/** How a fork is made, and what it then says of itself. */
const WAYS = {
  "copied byte by byte": /./,
  "copied by reflink": /^reflink/,
  "by promotion": /^promoted a standby$/,
};
type Way = keyof typeof WAYS;

test.for(["copied byte by byte", "copied by reflink", "by promotion"] as const)(
  `${rounds.length} forks of a source under transfers, %s: no sum is broken, no row an orphan, no commit lost (${title})`,
  { timeout: LIMIT_MS },
  async (way, { skip }) => {
    const obstacle = way === "copied by reflink" ? await findObstacle("xfs") : undefined;
    if (obstacle !== undefined) skip(obstacle);
    const home = await openHome(way);
    const bank = await openBank(home);
    const transfers = new Transfers(() => loginOf(bank), randomOf(rounds.length));
    undo.push(async () => transfers.stop());
    await untilWorking(transfers);
    for (const some of inBatches(rounds)) {
      const places = await Promise.all(some.map(async () => preparePlace(way, home, bank)));
      const { acknowledged } = transfers;
      const forks = await Promise.all(places.map(async (place) => fork(home, bank, place)));
      for (const [index, copy] of forks.entries()) {
        expect(copy.detail).toMatch(WAYS[way]);
        const faults = await findFaults(copy, acknowledged);
        const halves = await countHalfTables(askOf(copy));
        const round = some[index];
        expect({ round, faults, halves }).toEqual({ round, faults: [], halves: 0 });
        await remove(copy);
      }
      await endAll(bank);
    }
    await transfers.stop();
    expect(transfers).toMatchObject({ failures: [], losses: [] });
    expect(await findFaults(bank, transfers.acknowledged)).toEqual([]);
    expect(await untilNoTraces(bank)).toBe(0);
  },
);

test("what is torn from its transaction, or missing, is found", async () => {
  const bank = await openBank(await openHome("copied byte by byte"));
  const ask = askOf(bank);
  await ask("INSERT INTO orders VALUES (0, 1, 2); INSERT INTO lines VALUES (0, 1, 1)");
  await ask("INSERT INTO transfers VALUES (0, 2, 1, 2, 7)");
  await ask("UPDATE accounts SET amount = amount - 7 WHERE n = 1; CREATE TABLE churn0 (n int)");
  await ask("SET session_replication_role = replica; INSERT INTO lines VALUES (5, 5, 5)");
  expect(await findBankFaults(ask, [3])).toEqual([
    "1 accounts that the transfers do not explain",
    "7 money made or lost",
    "1 lines without their order",
    "1 orders without all of their lines",
    "2 transfers without their order",
    "1 transfers missing between others",
    "lane 0 has 2 of 3 acknowledged transfers",
  ]);
  expect(await countHalfTables(ask)).toBe(1);
});

test.for(["accounts", "accounts_pkey"])("a damaged page of %s is found", async (relation) => {
  const home = await openHome("copied byte by byte");
  const bank = await openBank(home);
  const [[file] = []] = await askOf(bank)(`SELECT pg_relation_filepath('${relation}')`);
  await stopDatabase(bank.place);
  const handle = await open(path.join(bank.place.folder, file ?? ""), "r+");
  await handle.write("torn", 8192 + 4096);
  await handle.close();
  await startDatabase(home.postgres, bank.place);
  const faults = await asAdmin(bank, findCorruption, bank.record.name);
  expect(faults.join()).toContain(`${relation}: `);
});

/** As many at one moment as the first of them says, whichever piece they are run in. */
function inBatches(numbers: readonly number[]): readonly (readonly number[])[] {
  const batches: (readonly number[])[] = [];
  for (let at = 0; at < numbers.length; at += batches.at(-1)?.length ?? 1) {
    const most = 1 + Math.floor(randomOf(numbers[at] ?? 0)() * MOST_AT_ONCE);
    batches.push(numbers.slice(at, at + most));
  }
  return batches;
}

/** On a disk of its own that has reflinks, or on the temporary folder's. */
async function openHome(way: Way): Promise<TestHome> {
  const disk = way === "copied by reflink" ? await openDisk("xfs", DISK_MEGABYTES) : undefined;
  if (disk !== undefined) undo.push(async () => disk.close());
  const home = await openTestHome(disk === undefined ? {} : { below: disk.folder });
  undo.push(async () => home.close());
  return home;
}

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

async function untilWorking(transfers: Transfers): Promise<void> {
  const works = (): true | undefined =>
    transfers.acknowledged.every((number) => number > 10) ? true : undefined;
  expect(await waitFor(works, { timeoutMs: 30_000 })).toBe(true);
}

type ForkPlace = DatabasePlace & { readonly standby: "ready" | null };

/** Where a fork is to be: by promotion, a standby is there that follows. */
async function preparePlace(way: Way, home: TestHome, bank: Database): Promise<ForkPlace> {
  const place = await home.createPlace();
  if (way !== "by promotion") return { ...place, standby: null };
  const { signal } = new AbortController();
  await createStandby(home.postgres, bank, { place, signal });
  return { ...place, standby: "ready" };
}

async function fork(
  home: TestHome,
  bank: Database,
  { standby, ...place }: ForkPlace,
): Promise<Database & { readonly detail: string }> {
  const target = { place, maskSql: null, standby };
  const { record, detail } = await forkDatabase(home.postgres, bank, target);
  return { place, record, detail };
}

/** What is kept for standbys can be let go of, once nobody reads it. */
async function endAll(bank: Database): Promise<void> {
  const end = async (): Promise<true | undefined> => {
    const ids = (await listStreams(bank)).map(({ id }) => id);
    await endStreams(bank, ids);
    return ids.length === 0 ? true : undefined;
  };
  expect(await waitFor(end, { timeoutMs: 60_000 })).toBe(true);
}

async function findFaults(copy: Database, acknowledged: Acknowledged): Promise<readonly string[]> {
  const corruption = await asAdmin(copy, findCorruption, copy.record.name);
  return [...(await findBankFaults(askOf(copy), acknowledged)), ...corruption];
}

function askOf(database: Database): Ask {
  return async (sql) => (await queryDatabase(database, sql)).rows;
}

async function remove({ place }: Database): Promise<void> {
  await stopDatabase(place);
  await removeInside(path.dirname(place.folder), place.folder);
}
