import { Pool } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";

import { waitFor } from "../../base/clock.ts";
import { createDatabase, forkDatabase, queryDatabase, stopDatabase } from "../database.ts";
import type { Database } from "../database.ts";
import { APP_ROLE } from "../place/settings.ts";
import { asAdmin, openTestHome, untilNoTraces } from "../test-home.ts";
import type { TestHome } from "../test-home.ts";

let home: TestHome;

beforeAll(async () => {
  home = await openTestHome();
});

afterAll(async () => {
  await home.close();
});

async function create(name: string): Promise<Database> {
  const place = await home.createPlace();
  return { place, record: await createDatabase(home.postgres, place, name) };
}

async function fork(from: Database): Promise<Database> {
  const place = await home.createPlace();
  const { record } = await forkDatabase(home.postgres, from, { place, maskSql: null });
  return { place, record };
}

async function ask(database: Database, sql: string): Promise<(string | null)[][]> {
  return (await queryDatabase(database, sql)).rows;
}

test("sixteen forks at once of a source under load: no statement fails, and every copy is of one moment", async () => {
  const bank = await create("bank");
  await ask(
    bank,
    "CREATE TABLE accounts AS SELECT n, 1000 AS amount, repeat('x', 200) AS pad FROM generate_series(1, 5000) n",
  );
  await ask(
    bank,
    "ALTER TABLE accounts ADD PRIMARY KEY (n); CREATE TABLE moves (n bigserial, amount int)",
  );
  const load = startTransfers(bank);
  await waitFor(() => (load.count() > 50 ? true : undefined), { timeoutMs: 20_000 });
  const acknowledged = load.count();
  const forks = await Promise.all(Array.from({ length: 16 }, async () => fork(bank)));
  const moved = load.count();
  await waitFor(() => (load.count() > moved + 20 ? true : undefined), { timeoutMs: 20_000 });
  expect(await load.stop()).toEqual([]);
  expect(load.count()).toBeGreaterThan(moved);
  await asAdmin(
    bank,
    async (admin) => admin.query("CREATE EXTENSION amcheck SCHEMA public"),
    "bank",
  );
  for (const copy of [bank, ...forks]) {
    expect(await ask(copy, "SELECT sum(amount), count(*) FROM accounts")).toEqual([
      ["5000000", "5000"],
    ]);
    const [[moves] = []] = await ask(copy, "SELECT count(*) FROM moves");
    expect(Number(moves)).toBeGreaterThanOrEqual(acknowledged);
  }
  for (const copy of forks) {
    await asAdmin(
      copy,
      async (admin) => {
        await admin.query("CREATE EXTENSION amcheck SCHEMA public");
        await admin.query("SELECT public.bt_index_check('public.accounts_pkey', true)");
        expect(
          (await admin.query("SELECT * FROM public.verify_heapam('public.accounts')")).rows,
        ).toEqual([]);
      },
      "bank",
    );
    await stopDatabase(copy.place);
  }
  expect(await untilNoTraces(bank)).toBe(0);
  await stopDatabase(bank.place);
}, 240_000);

/** Moves money between accounts on four connections until it is stopped, and keeps every error. */
function startTransfers({ place, record }: Database): {
  count(): number;
  stop(): Promise<unknown[]>;
} {
  const pool = new Pool({
    host: place.socketFolder,
    user: APP_ROLE,
    password: record.appPassword,
    database: record.name,
    max: 4,
  });
  const errors: unknown[] = [];
  const stop = new AbortController();
  let count = 0;
  const transfer = async (): Promise<void> => {
    const client = await pool.connect();
    const [from = 1, to = 2] = [Math.random(), Math.random()]
      .map((at) => 1 + Math.floor(at * 5000))
      .toSorted((a, b) => a - b);
    try {
      await client.query("BEGIN");
      await client.query("UPDATE accounts SET amount = amount - 5 WHERE n = $1", [from]);
      await client.query("UPDATE accounts SET amount = amount + 5 WHERE n = $1", [to]);
      await client.query("INSERT INTO moves (amount) VALUES (5)");
      await client.query("COMMIT");
      count += 1;
    } finally {
      client.release();
    }
  };
  const lane = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      try {
        await transfer();
      } catch (error) {
        errors.push(error);
        return;
      }
    }
  };
  const lanes = Promise.all(Array.from({ length: 4 }, lane));
  return {
    count: () => count,
    stop: async () => {
      stop.abort();
      await lanes;
      await pool.end();
      return errors;
    },
  };
}
