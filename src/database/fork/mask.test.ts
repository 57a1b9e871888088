import { readFile } from "node:fs/promises";

import { afterAll, beforeAll, expect, test } from "vitest";

import {
  ask,
  createCanary,
  createFilled,
  endAll,
  filesWith,
  forkFrom,
} from "../../../test/forks.ts";
import { waitFor } from "../../base/clock.ts";
import { exists } from "../../base/remove-inside.ts";
import { signalProcess } from "../../process/process.ts";
import { forkDatabase } from "../database.ts";
import type { Database } from "../database.ts";
import { findPostmaster } from "../server/postmaster.ts";
import { failureOf, openTestHome } from "../test-home.ts";
import type { TestHome } from "../test-home.ts";

let home: TestHome;
let plain: Database;

beforeAll(async () => {
  home = await openTestHome();
  plain = await createFilled(home, "plain", "CREATE TABLE t AS SELECT 1 AS n");
});
afterAll(async () => home.close());

const MASKED = "UPDATE people SET mail = 'masked' || id WHERE mail <> 'nobody'";

async function createPeople(name: string, canary: string): Promise<Database> {
  return createFilled(
    home,
    name,
    `CREATE TABLE people (id int PRIMARY KEY, mail text, part int) PARTITION BY RANGE (id);
     CREATE TABLE people_1 PARTITION OF people FOR VALUES FROM (0) TO (1000);
     CREATE INDEX ON people_1 (lower(mail)); CREATE TABLE untouched AS SELECT 1 AS n;
     INSERT INTO people SELECT n, '${canary}', n FROM generate_series(1, 500) n;
     CREATE TABLE copies AS SELECT '${canary}' AS mail;`,
  );
}

test("what a mask replaced is nowhere in the fork any more: no old row, no sample of the planner's, no WAL", async () => {
  const canary = createCanary();
  const source = await createPeople("masked", canary);
  await ask(source, "SELECT lo_from_bytea(7, '\\x00')");
  await ask(source, `SELECT lo_put(7, 0, '${canary}'::bytea); ANALYZE`);
  const maskSql = `${MASKED}; TRUNCATE copies; SELECT lo_unlink(7)`;
  const masked = await forkFrom(home, source, { maskSql });
  expect(masked.detail).toMatch(/; masked$/);
  expect((await filesWith(canary, source)).length).toBeGreaterThan(3);
  expect(await filesWith(canary, masked)).toEqual([]);
  const samples = `SELECT count(*) FROM pg_stats WHERE most_common_vals::text LIKE '%${canary}%'`;
  expect(await ask(source, samples)).not.toEqual([["0"]]);
  expect(await ask(masked, samples)).toEqual([["0"]]);
  expect(await ask(masked, "SELECT min(mail), count(*) FROM people")).toEqual([["masked1", "500"]]);
  expect(
    await ask(masked, "SELECT count(*) > 0 FROM pg_stats WHERE tablename IN ('people_1')"),
  ).toEqual([["t"]]);
  await endAll(source, masked);
});

test("a mask runs also on what is left where rows are not to come along", async () => {
  const source = await createFilled(home, "both", "CREATE TABLE t AS SELECT 1 AS n");
  const bare = await forkFrom(home, source, {
    data: "schema",
    maskSql: "INSERT INTO t VALUES (7)",
  });
  expect(await ask(bare, "SELECT n FROM t")).toEqual([["7"]]);
  expect(bare.detail).toMatch(/; rows removed from 1 table; masked$/);
  await endAll(source, bare);
});

test.each([
  ["BEGIN; UPDATE t SET n = 2; COMMIT;", "it ended the transaction", "Remove COMMIT and ROLLBACK"],
  ["UPDATE t SET n = 2; ROLLBACK;", "it ended the transaction", "Remove COMMIT and ROLLBACK"],
  [
    "-- psql\n\\set ON_ERROR_STOP on\nUPDATE t SET n = 2;",
    "\\set is a command of psql",
    "plain SQL",
  ],
  ["COPY t FROM stdin;\n1\n\\.\n", "COPY reads rows from a client", "plain SQL"],
  ["COPY t FROM stdin", "COPY reads rows from a client", "plain SQL"],
  [
    "SELECT 1;\nUPDATE t SET m = 2",
    'column "m" of relation "t" does not exist (line 2, column 14)',
    "database.mask",
  ],
  ["COPY t TO PROGRAM 'id'", "permission denied to COPY to or from an external program", ""],
  ["SET SESSION AUTHORIZATION ramet", "permission denied", ""],
])("the mask %j undoes the fork and says why", async (maskSql, message, remedy) => {
  const place = await home.createPlace();
  await expect(forkDatabase(home.postgres, plain, { place, maskSql })).rejects.toMatchObject({
    code: "mask_failed",
    message: expect.stringContaining(message),
    remedy: expect.stringContaining(remedy),
  });
  expect(await exists(place.folder)).toBe(false);
});

test("a fork whose server is ended while a session of ours is in it is one problem, no mistake of Ramet's, and leaves nothing", async () => {
  const held = await createFilled(
    home,
    "held",
    `CREATE FUNCTION hold(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
       BEGIN
         IF session_user <> 'app' THEN RAISE WARNING 'held here'; PERFORM pg_sleep(60); END IF;
         RETURN $1;
       END $$;
     CREATE TABLE people AS SELECT 'a' AS mail; CREATE INDEX ON people (hold(mail));`,
  );
  const place = await home.createPlace();
  const maskSql = "UPDATE people SET mail = 'masked'";
  const outcome = failureOf(forkDatabase(home.postgres, held, { place, maskSql }));
  const isHeld = async (): Promise<true | undefined> =>
    (await readFile(place.log, "utf8").catch(() => "")).includes("held here") || undefined;
  expect(await waitFor(isHeld, { timeoutMs: 30_000 })).toBe(true);
  const pid = await findPostmaster(place);
  if (pid !== undefined) signalProcess(pid, "SIGINT");
  expect(await outcome).toMatchObject({
    code: "database_failed",
    message: expect.stringContaining("stay up while it was forked"),
  });
  expect(await exists(place.folder)).toBe(false);
  await endAll(held);
});
