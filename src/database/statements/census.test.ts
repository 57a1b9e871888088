import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";

import { createDatabase, queryDatabase, takeCensus } from "../database.ts";
import type { Database } from "../database.ts";
import { openTestHome } from "../test-home.ts";
import type { TestHome } from "../test-home.ts";

let home: TestHome;
let shop: Database;

beforeAll(async () => {
  home = await openTestHome();
  const place = await home.createPlace();
  shop = { place, record: await createDatabase(home.postgres, place, "shop") };
});
afterAll(async () => home.close());

test("a database tells how large it is, and who is connected but us", async () => {
  const before = await takeCensus(shop);
  expect(before.connections).toBe(0);
  expect(before.bytes).toBeGreaterThan(1_000_000);
  const { appPassword: password, name: database } = shop.record;
  const client = new Client({ host: shop.place.socketFolder, user: "app", password, database });
  await client.connect();
  await queryDatabase(
    shop,
    "CREATE TABLE filler AS SELECT n, repeat('x', 500) AS text FROM generate_series(1, 5000) n",
  );
  const after = await takeCensus(shop);
  expect(after.connections).toBe(1);
  expect(after.bytes).toBeGreaterThan(before.bytes + 2_000_000);
  await client.end();
});
