/** Databases on a PostgreSQL of the user's own: every one that Debian installed here, and those in the folders of a variable. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { listPostgresBins } from "../../../test/journeys/postgres-bins.ts";
import {
  createDatabase,
  createStandby,
  endStreams,
  forkDatabase,
  queryDatabase,
  startDatabase,
  stopDatabase,
} from "../database.ts";
import type { Database } from "../database.ts";
import { asAdmin, openTestHome, untilNoTraces } from "../test-home.ts";
import type { TestHome } from "../test-home.ts";

const BINS = listPostgresBins();
const SAID = BINS.length === 0 ? "none is installed here" : BINS.join(", ");

test(`PostgreSQLs of the user's own that are tested: ${SAID}`, () => {
  expect(new Set(BINS).size).toBe(BINS.length);
});

describe.each(BINS)("on the PostgreSQL in %s", (bin) => {
  let home: TestHome;
  let shop: Database;

  beforeAll(async () => {
    home = await openTestHome({ bin });
    const place = await home.createPlace();
    shop = { place, record: await createDatabase(home.postgres, place, "shop") };
    await ask(shop, "CREATE TABLE orders (n int PRIMARY KEY, note text)");
    await ask(shop, "INSERT INTO orders SELECT n, 'order ' || n FROM generate_series(1, 1000) n");
  });

  afterAll(async () => home.close());

  async function fork(source: Database, maskSql: string | null = null): Promise<Database> {
    const place = await home.createPlace();
    return {
      place,
      record: (await forkDatabase(home.postgres, source, { place, maskSql })).record,
    };
  }

  test("its record says which it is, and its forks' too", async () => {
    const { major } = home.postgres.programs;
    expect(shop.record.postgres).toEqual({ version: home.postgres.programs.version, bin });
    const copy = await fork(shop);
    expect(copy.record.postgres).toEqual(shop.record.postgres);
    expect(await ask(copy, "SELECT current_setting('server_version_num')::int / 10000")).toEqual([
      [String(major)],
    ]);
  });

  test("a fork of it awake has all rows, and leaves no slot and no backup behind", async () => {
    const copy = await fork(shop, "UPDATE orders SET note = 'masked'");
    expect(await ask(copy, "SELECT count(*), min(note), max(note) FROM orders")).toEqual([
      ["1000", "masked", "masked"],
    ]);
    expect(await ask(shop, "SELECT max(note) FROM orders")).toEqual([["order 999"]]);
    expect(await untilNoTraces(shop)).toBe(0);
  });

  test("a standby of it follows, and a fork promotes it", async () => {
    const place = await home.createPlace();
    const { signal } = new AbortController();
    await createStandby(home.postgres, shop, { place, signal });
    await ask(shop, "INSERT INTO orders VALUES (0, 'last')");
    const target = { place, maskSql: null, standby: "ready" } as const;
    const { record, detail } = await forkDatabase(home.postgres, shop, target);
    expect(detail).toBe("promoted a standby");
    expect(await ask({ place, record }, "SELECT note FROM orders WHERE n = 0")).toEqual([["last"]]);
    await ask(shop, "DELETE FROM orders WHERE n = 0");
    await endStreams(shop, [place.id]);
    await stopDatabase(place);
  });

  test("a fork of it asleep has all rows, and both wake again", async () => {
    await stopDatabase(shop.place);
    const copy = await fork(shop);
    await startDatabase(home.postgres, shop.place);
    for (const database of [shop, copy])
      expect(await ask(database, "SELECT count(*) FROM orders")).toEqual([["1000"]]);
  });

  test("no setting of ours is unknown to it, and pages have checksums", async () => {
    // One that is set once more further down, as a source's WAL is, is not applied where it stands first.
    const { rows } = await asAdmin(shop, async (admin) =>
      admin.query(
        "SELECT name FROM pg_file_settings GROUP BY name HAVING NOT bool_or(applied) OR count(error) > 0",
      ),
    );
    expect(rows).toEqual([]);
    expect(await ask(shop, "SHOW data_checksums")).toEqual([["on"]]);
  });

  test("the app owns its schema and its databases, and makes nothing in others", async () => {
    await ask(shop, "DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE mine (n int)");
    await ask(shop, "CREATE DATABASE shop_test");
    const postgres = { ...shop, record: { ...shop.record, name: "postgres" } };
    await expect(ask(postgres, "CREATE TABLE public.planted (n int)")).rejects.toThrow(
      /permission denied for schema public/,
    );
    const own = { ...shop, record: { ...shop.record, name: "shop_test" } };
    await ask(own, "DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE mine (n int)");
  });
});

async function ask(database: Database, sql: string): Promise<(string | null)[][]> {
  return (await queryDatabase(database, sql)).rows;
}
