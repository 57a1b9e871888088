import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import {
  ask,
  createCanary,
  createFilled,
  endAll,
  filesWith,
  forkFrom,
} from "../../../test/forks.ts";
import type { Database } from "../database.ts";
import { asAdmin, openTestHome } from "../test-home.ts";
import type { TestHome } from "../test-home.ts";

let home: TestHome;
let canary: string;
let source: Database;

beforeAll(async () => {
  home = await openTestHome();
  canary = createCanary();
  source = await createFilled(home, "shop", "CREATE TABLE people (mail text)");
});
afterAll(async () => home.close());

async function fillWal(): Promise<void> {
  await ask(source, `INSERT INTO people SELECT '${canary}' FROM generate_series(1, 50000)`);
  await asAdmin(source, async (admin) => admin.query("CHECKPOINT"));
}

/** Its WAL files in which the text stands. */
async function walWith(text: string, database: Database): Promise<readonly string[]> {
  const wal = `${path.sep}pg_wal${path.sep}`;
  return (await filesWith(text, database)).filter((file) => file.includes(wal));
}

test("a source writes its WAL files again once it was forked, and a fork does not", async () => {
  await fillWal();
  // The one that is written just now.
  expect((await walWith(canary, source)).length).toBeLessThan(2);
  const first = await forkFrom(home, source, {});
  await fillWal();
  expect((await walWith(canary, source)).length).toBeGreaterThan(2);
  expect(await ask(first, "SHOW wal_recycle")).toEqual([["off"]]);
  await endAll(first);
});

test("what such files hold of old rows is nowhere in a fork that is to have none, of a source awake or asleep", async () => {
  const awake = await forkFrom(home, source, { data: "schema" });
  expect(await filesWith(canary, awake)).toEqual([]);
  await endAll(source);
  const whole = await forkFrom(home, source, {});
  expect((await walWith(canary, whole)).length).toBeGreaterThan(2);
  const asleep = await forkFrom(home, source, { data: "schema" });
  expect(await filesWith(canary, asleep)).toEqual([]);
  await endAll(awake, whole, asleep);
});
