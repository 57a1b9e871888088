import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";

import { waitFor } from "../base/clock.ts";
import {
  createDatabase,
  forkDatabase,
  queryDatabase,
  startDatabase,
  stopDatabase,
} from "./database.ts";
import type { Database } from "./database.ts";
import { APP_ROLE, SOCKET_PORT } from "./place/settings.ts";
import { failureOf, openTestHome } from "./test-home.ts";
import type { TestHome } from "./test-home.ts";

const LIMITS = { connections: 3, statementTimeoutMs: 200, tempFileBytes: 1024 * 1024 };
/** Sorts more than may stay in memory. */
const SPILL =
  "SET work_mem = '64kB'; SELECT count(*) FROM (SELECT n FROM generate_series(1, 300000) n ORDER BY n::text) s";

let home: TestHome;
let tight: Database;
let free: Database;

beforeAll(async () => {
  home = await openTestHome();
  const [limited, open] = [
    { ...(await home.createPlace()), limits: LIMITS },
    await home.createPlace(),
  ];
  tight = { place: limited, record: await createDatabase(home.postgres, limited, "tight") };
  free = { place: open, record: await createDatabase(home.postgres, open, "free") };
});

afterAll(async () => home.close());

async function dial({ place, record }: Database): Promise<Client> {
  const client = new Client({
    host: place.socketFolder,
    port: SOCKET_PORT,
    user: APP_ROLE,
    password: record.appPassword,
    database: record.name,
  });
  client.on("error", () => {
    // Whoever waits for it is told.
  });
  await client.connect();
  return client;
}

/** How many sessions the app gets, of ten that it asks for. */
async function countSessions(database: Database): Promise<number> {
  const all = await Promise.allSettled(Array.from({ length: 10 }, async () => dial(database)));
  const there = all.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const refused = all.flatMap((one) => (one.status === "rejected" ? [String(one.reason)] : []));
  for (const reason of refused) expect(reason).toMatch(/connection slots are reserved/);
  await Promise.all(there.map(async (client) => client.end()));
  return there.length;
}

test("the app gets so many sessions and no more, and its owner cannot lift that", async () => {
  expect(await settledSessions(free, 10)).toBe(10);
  expect(await settledSessions(tight, 3)).toBe(3);
  await queryDatabase(tight, "ALTER DATABASE tight CONNECTION LIMIT -1");
  expect(await settledSessions(tight, 3)).toBe(3);
});

/** A session that ended holds its place for a moment more: it is counted again until that is so, for 5 s at most. */
async function settledSessions(database: Database, wanted: number): Promise<number> {
  let count = -1;
  const isWanted = async (): Promise<true | undefined> => {
    count = await countSessions(database);
    return count === wanted ? true : undefined;
  };
  await waitFor(isWanted, { timeoutMs: 5_000, everyMs: 50 });
  return count;
}

test("a session's temporary files have a limit that it cannot lift", async () => {
  await queryDatabase(free, SPILL);
  const unlimited = `SET statement_timeout = 0; ${SPILL}`;
  await expect(queryDatabase(tight, unlimited)).rejects.toThrow(/temp_file_limit/);
  const lift = queryDatabase(tight, "SET temp_file_limit = -1");
  await expect(lift).rejects.toThrow(/permission denied/);
});

test("a statement that takes too long is ended, unless its session says otherwise", async () => {
  const failure = await failureOf(queryDatabase(tight, "SELECT pg_sleep(5)"));
  expect(failure).toMatchObject({ message: expect.stringContaining("statement timeout") });
  await queryDatabase(tight, "SET statement_timeout = 0; SELECT pg_sleep(0.3)");
});

test("a source at its limits is forked all the same, and the fork has limits of its own", async () => {
  const all = [await dial(tight), await dial(tight), await dial(tight)];
  const place = await home.createPlace();
  const { record } = await forkDatabase(home.postgres, tight, {
    place,
    maskSql: "SELECT pg_sleep(0.3)",
  });
  expect(await settledSessions({ place, record }, 10)).toBe(10);
  await Promise.all(all.map(async (client) => client.end()));
});

test("limits that changed hold from the next start", async () => {
  await stopDatabase(tight.place);
  await startDatabase(home.postgres, { ...tight.place, limits: { ...LIMITS, connections: 5 } });
  expect(await settledSessions(tight, 5)).toBe(5);
});
