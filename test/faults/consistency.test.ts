/** Forks of a source that is written to all the while: each is of one moment, none lacks what was committed before. */
import { randomInt } from "node:crypto";
import { open } from "node:fs/promises";
import path from "node:path";

import { afterEach, expect, test } from "vitest";

import { waitFor } from "../../src/base/clock.ts";
import { removeInside } from "../../src/base/remove-inside.ts";
import { UndoStack } from "../../src/base/undo-stack.ts";
import {
  createDatabase,
  forkDatabase,
  queryDatabase,
  startDatabase,
  stopDatabase,
} from "../../src/database/database.ts";
import type { Database } from "../../src/database/database.ts";
import { APP_ROLE } from "../../src/database/settings.ts";
import { asAdmin, openTestHome, untilNoTraces } from "../../src/database/test-home.ts";
import type { TestHome } from "../../src/database/test-home.ts";
import { findObstacle, openDisk } from "../disk.ts";
import { BANK_SQL, countHalfTables, findBankFaults } from "./bank.ts";
import type { Acknowledged, Ask } from "./bank.ts";
import { createRandom } from "./random.ts";
import { findCorruption } from "./soundness.ts";
import { Transfers } from "./transfers.ts";

/** How many on each file system, and with which random numbers. */
const FORKS = Number(process.env["RAMET_FAULT_FORKS"] ?? 200);
const SEED = Number(process.env["RAMET_FAULT_SEED"] ?? randomInt(2 ** 31));
/** Begun at one moment: more than may be copied at a time. */
const MOST_AT_ONCE = 10;
const LIMIT_MS = 1_800_000;

/** Each copy is removed once it is checked; what they share stays on the disk. */
const DISK_MEGABYTES = 8_000;

const undo = new UndoStack();
afterEach(async () => undo.undo());

test.for(["byte by byte", "by reflink"] as const)(
  `${FORKS} forks of a source under transfers, copied %s: no sum is broken, no row an orphan, no commit lost (seed ${SEED})`,
  { timeout: LIMIT_MS },
  async (way, { skip }) => {
    const obstacle = way === "by reflink" ? await findObstacle("xfs") : undefined;
    if (obstacle !== undefined) skip(obstacle);
    const home = await openHome(way);
    const bank = await openBank(home);
    const random = createRandom(SEED);
    const transfers = new Transfers(() => loginOf(bank), random);
    undo.push(async () => transfers.stop());
    await untilWorking(transfers);
    for (let made = 0; made < FORKS;) {
      const count = Math.min(FORKS - made, 1 + Math.floor(random() * MOST_AT_ONCE));
      const { acknowledged } = transfers;
      const forks = Array.from({ length: count }, async () => fork(home, bank));
      for (const copy of await Promise.all(forks)) {
        expect(copy.detail).toMatch(way === "by reflink" ? /^reflink/ : /./);
        const faults = await findFaults(copy, acknowledged);
        const halves = await countHalfTables(askOf(copy));
        expect({ made, faults, halves }).toEqual({ made, faults: [], halves: 0 });
        await remove(copy);
        made += 1;
      }
    }
    await transfers.stop();
    expect(transfers).toMatchObject({ failures: [], losses: [] });
    expect(await findFaults(bank, transfers.acknowledged)).toEqual([]);
    expect(await untilNoTraces(bank)).toBe(0);
  },
);

test("what is torn from its transaction, or missing, is found", async () => {
  const bank = await openBank(await openHome("byte by byte"));
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
  const home = await openHome("byte by byte");
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

/** On a disk of its own that has reflinks, or on the temporary folder's. */
async function openHome(way: "byte by byte" | "by reflink"): Promise<TestHome> {
  const disk = way === "by reflink" ? await openDisk("xfs", DISK_MEGABYTES) : undefined;
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

async function fork(
  home: TestHome,
  bank: Database,
): Promise<Database & { readonly detail: string }> {
  const place = await home.createPlace();
  const { record, detail } = await forkDatabase(home.postgres, bank, { place, maskSql: null });
  return { place, record, detail };
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
