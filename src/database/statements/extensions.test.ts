import { afterAll, beforeAll, expect, test } from "vitest";

import { createDatabase, forkDatabase, provideExtensions, queryDatabase } from "../database.ts";
import type { Database } from "../database.ts";
import { asAdmin, openTestHome } from "../test-home.ts";
import type { TestHome } from "../test-home.ts";

let home: TestHome;
let shop: Database;

beforeAll(async () => {
  home = await openTestHome();
  const place = await home.createPlace();
  shop = { place, record: await createDatabase(home.postgres, place, "shop") };
});

afterAll(async () => home.close());

async function listExtensions(database: Database, name = database.record.name): Promise<unknown> {
  const there = { ...database, record: { ...database.record, name } };
  const { rows } = await queryDatabase(there, "SELECT extname FROM pg_extension ORDER BY 1");
  return rows.flat();
}

test("what only a superuser may create is created for the app, its test databases and its forks", async () => {
  const create = queryDatabase(shop, "CREATE EXTENSION moddatetime");
  await expect(create).rejects.toThrow(/permission denied/);

  await provideExtensions(shop, ["moddatetime", "pg_trgm"]);
  await provideExtensions(shop, ["moddatetime", "earthdistance"]);
  // A migration that names it goes on.
  await queryDatabase(shop, "CREATE EXTENSION IF NOT EXISTS moddatetime");
  await queryDatabase(shop, "CREATE DATABASE shop_test");
  const place = await home.createPlace();
  const { record } = await forkDatabase(home.postgres, shop, { place, maskSql: null });
  const all = ["cube", "earthdistance", "moddatetime", "pg_trgm", "plpgsql"];
  expect(await listExtensions(shop)).toEqual(all);
  expect(await listExtensions(shop, "shop_test")).toEqual(all);
  expect(await listExtensions({ place, record })).toEqual(all);
});

test("what it makes lies where the app looks first, and is not the app's to change", async () => {
  await provideExtensions(shop, ["bloom"]);
  const where = await asAdmin(
    shop,
    async (admin) =>
      admin.query(
        "SELECT extnamespace::regnamespace::text AS name FROM pg_extension WHERE extname = 'bloom'",
      ),
    "shop",
  );
  expect(where.rows).toEqual([{ name: "public" }]);
  await expect(queryDatabase(shop, "DROP EXTENSION bloom")).rejects.toThrow(/must be owner/);
});

test.each(["dblink", "postgres_fdw", "file_fdw", "pageinspect", "pg_surgery", "xml2"])(
  "%s, which leads out of the database, is refused, and nothing of it is there",
  async (name) => {
    await expect(provideExtensions(shop, [name])).rejects.toMatchObject({
      code: "extension_refused",
    });
    expect(await listExtensions(shop)).not.toContain(name);
  },
);

test("one that this PostgreSQL does not have is a problem that says what to do", async () => {
  await expect(provideExtensions(shop, ["postgis"])).rejects.toMatchObject({
    code: "extension_missing",
    remedy: expect.stringContaining("RAMET_POSTGRES_BIN"),
  });
});

test("one whose making fails is a problem, not a bug", async () => {
  await queryDatabase(
    shop,
    "CREATE FUNCTION autoinc() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'",
  );
  await expect(provideExtensions(shop, ["autoinc"])).rejects.toMatchObject({
    code: "extension_failed",
  });
});
