import { readdir } from "node:fs/promises";
import path from "node:path";

import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";

import { waitFor } from "../../base/clock.ts";
import { exists } from "../../base/remove-inside.ts";
import type { DatabasePlace } from "../../environment/places.ts";
import { findFamily, isRunning, signalProcess } from "../../process/process.ts";
import {
  createDatabase,
  createStandby,
  endStreams,
  forkDatabase,
  isDatabaseRunning,
  listStreams,
  queryDatabase,
  startDatabase,
  stopDatabase,
  withoutCopyingBehind,
} from "../database.ts";
import type { Database } from "../database.ts";
import { ADMIN_ROLE, APP_ROLE } from "../place/settings.ts";
import { findPostmaster } from "../server/postmaster.ts";
import { asAdmin, failureOf, openTestHome } from "../test-home.ts";
import type { TestHome } from "../test-home.ts";

const PATIENCE_MS = 20_000;
let home: TestHome;
let source: Database;

beforeAll(async () => {
  home = await openTestHome();
  source = await create("shop");
  await ask(source, "CREATE TABLE people AS SELECT n FROM generate_series(1, 1000) n");
});

afterAll(async () => home.close());

async function create(name: string): Promise<Database> {
  const place = await home.createPlace();
  return { place, record: await createDatabase(home.postgres, place, name) };
}

async function follow(from: Database): Promise<DatabasePlace> {
  const place = await home.createPlace();
  await createStandby(home.postgres, from, { place, signal: new AbortController().signal });
  return place;
}

type Fork = Database & { readonly detail: string };

/** By the standby at this place. */
async function promote(from: Database, place: DatabasePlace, maskSql?: string): Promise<Fork> {
  const target = { place, maskSql: maskSql ?? null, standby: "ready" } as const;
  const { record, detail } = await forkDatabase(home.postgres, from, target);
  return { place, record, detail };
}

async function ask(database: Database, sql: string): Promise<(string | null)[][]> {
  return (await queryDatabase(database, sql)).rows;
}

/** Once nobody reads them any more. */
async function endAll(from: Database): Promise<void> {
  const ended = await waitFor(
    async () => {
      const ids = (await listStreams(from)).map(({ id }) => id);
      await endStreams(from, ids);
      return ids.length === 0 ? true : undefined;
    },
    { timeoutMs: PATIENCE_MS },
  );
  expect(ended).toBe(true);
}

/** Looks into a standby, where the app's role cannot. */
async function countReplayed(from: Database, place: DatabasePlace): Promise<number> {
  return asAdmin(
    { place, record: from.record },
    async (admin) => {
      const { rows } = await admin.query<{ count: number }>(
        "SELECT count(*)::int FROM public.people",
      );
      return rows[0]?.count ?? -1;
    },
    from.record.name,
  );
}

async function killServer(place: DatabasePlace): Promise<void> {
  const pid = await findPostmaster(place);
  if (pid === undefined) throw new Error("It runs.");
  const family = await findFamily(pid);
  for (const member of [pid, ...family]) if (isRunning(member)) signalProcess(member, "SIGKILL");
  await waitFor(() => (family.some(isRunning) ? undefined : true), { timeoutMs: PATIENCE_MS });
}

test("a fork by promotion has every row that was committed before it was asked for, flushed or not", async () => {
  const ledger = await create("ledger");
  await ask(ledger, "CREATE TABLE moves (n int)");
  for (let n = 1; n <= 4; n += 1) {
    const place = await follow(ledger);
    const session = n % 2 === 0 ? "SET synchronous_commit = off;" : "";
    await ask(ledger, `${session} INSERT INTO moves VALUES (${n})`);
    const copy = await promote(ledger, place);
    expect(copy.detail).toBe("promoted a standby");
    expect(await ask(copy, "SELECT count(*) FROM moves")).toEqual([[String(n)]]);
    await ask(copy, "INSERT INTO moves VALUES (0)");
    await stopDatabase(place);
  }
  expect(await ask(ledger, "SELECT min(n) FROM moves")).toEqual([["1"]]);
  await stopDatabase(ledger.place);
}, 60_000);

test("nothing of its source is left in a fork by promotion: passwords, way there, signs of a standby", async () => {
  const place = await follow(source);
  const copy = await promote(source, place);
  const old = { place, record: source.record };
  await expect(queryDatabase(old, "SELECT 1")).rejects.toThrow(/password/);
  await expect(asAdmin(old, async () => {})).rejects.toThrow(/password/);
  await asAdmin(copy, async (admin) => {
    const { rows } = await admin.query(
      `SELECT pg_is_in_recovery() AS standby, current_setting('primary_conninfo') AS conninfo,
        current_setting('primary_slot_name') AS slot, current_setting('fsync') AS fsync,
        (SELECT count(*)::int FROM pg_replication_slots) AS slots`,
    );
    expect(rows).toEqual([{ standby: false, conninfo: "", slot: "", fsync: "on", slots: 0 }]);
  });
  const names = await readdir(place.folder);
  expect(names).not.toContain("standby.signal");
  expect(names).not.toContain("postgresql.auto.conf");

  await endAll(source);
  await stopDatabase(place);
  await startDatabase(home.postgres, place);
  expect(await ask(copy, "SELECT count(*) FROM people")).toEqual([["1000"]]);
  await stopDatabase(place);
});

test("a mask runs in a fork by promotion, and one that fails leaves nothing of it", async () => {
  const [good, bad] = [await follow(source), await follow(source)];
  const copy = await promote(source, good, "UPDATE people SET n = 0");
  expect(await ask(copy, "SELECT DISTINCT n FROM people")).toEqual([["0"]]);
  await expect(promote(source, bad, "UPDATE nothing SET n = 0")).rejects.toMatchObject({
    code: "mask_failed",
  });
  expect(await exists(bad.folder)).toBe(false);
  expect(await isDatabaseRunning(bad)).toBe(false);
  await stopDatabase(good);
  await endAll(source);
});

test("nobody but the superuser comes into a standby, and nobody but the superuser can follow a source", async () => {
  const place = await follow(source);
  const { appPassword, adminPassword } = source.record;
  await expect(queryDatabase({ place, record: source.record }, "SELECT 1")).rejects.toThrow(
    /no pg_hba.conf entry/,
  );
  const stream = async (user: string, password: string): Promise<void> => {
    const host = source.place.socketFolder;
    const login = { host, port: 5432, user, password, database: "postgres", replication: "true" };
    const client = new pg.Client(login);
    await client.connect();
    await client.query("IDENTIFY_SYSTEM");
    await client.end();
  };
  await expect(stream(APP_ROLE, appPassword)).rejects.toThrow(/no pg_hba.conf entry/);
  await stream(ADMIN_ROLE, adminPassword);
  await stopDatabase(place);
  await endAll(source);
});

test("a standby follows a source that crashed and was started again, and one that slept", async () => {
  const place = await follow(source);
  await killServer(source.place);
  await startDatabase(home.postgres, source.place);
  await ask(source, "INSERT INTO people VALUES (1001)");
  const isThere = async (): Promise<true | undefined> =>
    (await countReplayed(source, place)) === 1001 ? true : undefined;
  expect(await waitFor(isThere, { timeoutMs: PATIENCE_MS })).toBe(true);

  await stopDatabase(source.place);
  await stopDatabase(place);
  await startDatabase(home.postgres, source.place);
  await ask(source, "DELETE FROM people WHERE n = 1001");
  const copy = await promote(source, place);
  expect(copy.detail).toBe("promoted a standby");
  expect(await ask(copy, "SELECT count(*) FROM people")).toEqual([["1000"]]);
  await stopDatabase(place);
  await endAll(source);
});

test("what no longer follows this very source is not promoted: it is copied, and the fork says why", async () => {
  const [lost, broken] = [await follow(source), await follow(source)];
  await stopDatabase(lost);
  await endStreams(source, [lost.id]);
  const copy = await promote(source, lost);
  expect(copy.detail).toMatch(/^copied \d+ MB: the standby had lost its source$/);
  expect(await ask(copy, "SELECT count(*) FROM people")).toEqual([["1000"]]);

  await asAdmin({ place: broken, record: source.record }, async (admin) =>
    admin.query("SELECT pg_wal_replay_pause()"),
  );
  await ask(source, "INSERT INTO people VALUES (1001)");
  const second = await promote(source, broken);
  expect(second.detail).toMatch(/^copied \d+ MB: the standby was behind$/);
  expect(await ask(second, "SELECT count(*) FROM people")).toEqual([["1001"]]);
  await ask(source, "DELETE FROM people WHERE n = 1001");
  for (const place of [lost, broken]) await stopDatabase(place);
  await endAll(source);
});

test("forks of forks by promotion have standbys and forks of their own", async () => {
  const one = await promote(source, await follow(source));
  await ask(one, "INSERT INTO people VALUES (-1)");
  const two = await promote(one, await follow(one));
  await ask(two, "INSERT INTO people VALUES (-2)");
  const place = await home.createPlace();
  const { record, detail } = await forkDatabase(home.postgres, two, {
    place,
    maskSql: null,
    standby: "missed",
  });
  expect(detail).toMatch(/^copied \d+ MB: no standby was ready$/);
  const three = { place, record };
  const four = await promote(three, await follow(three));
  for (const database of [three, four])
    expect(await ask(database, "SELECT count(*) FROM people WHERE n < 0")).toEqual([["2"]]);
  await endAll(source);
  for (const database of [one, two, three, four]) await stopDatabase(database.place);
}, 60_000);

test("unlogged tables arrive empty and tablespaces are refused, as in a copy", async () => {
  const odd = await create("odd");
  await ask(odd, "CREATE UNLOGGED TABLE u AS SELECT 1 AS n");
  const copy = await promote(odd, await follow(odd));
  expect(copy.detail).toBe("promoted a standby; unlogged tables are empty: 1");
  expect(await ask(copy, "SELECT count(*) FROM u")).toEqual([["0"]]);

  const place = await follow(odd);
  await asAdmin(odd, async (admin) => {
    await admin.query("SET allow_in_place_tablespaces = on");
    await admin.query("CREATE TABLESPACE near LOCATION ''");
  });
  await expect(promote(odd, place)).rejects.toMatchObject({ code: "database_tablespaces" });
  expect(await exists(place.folder)).toBe(false);
  for (const database of [odd, copy]) await stopDatabase(database.place);
});

test("a standby is not copied while someone is in a hurry, and given up it leaves nothing but its stream", async () => {
  const place = await home.createPlace();
  const giveUp = new AbortController();
  const failure = await withoutCopyingBehind(async () => {
    const building = failureOf(
      createStandby(home.postgres, source, { place, signal: giveUp.signal }),
    );
    const begun = async (): Promise<true | undefined> =>
      (await exists(path.join(place.folder, "PG_VERSION"))) ? true : undefined;
    await waitFor(begun, { timeoutMs: PATIENCE_MS });
    expect(await exists(path.join(place.folder, "backup_label"))).toBe(false);
    giveUp.abort(new Error("not wanted"));
    return building;
  });
  expect(failure).toMatchObject({ message: "not wanted" });
  expect(await exists(place.folder)).toBe(false);
  expect(await listStreams(source)).toMatchObject([{ id: place.id, isActive: false }]);
  await endAll(source);
});

test("operators that an app put before PostgreSQL's own are not run by the superuser of a fork", async () => {
  const trap = await create("trap");
  await ask(
    trap,
    `CREATE SCHEMA trap; CREATE TABLE trap.caught (who text); CREATE UNLOGGED TABLE public.u AS SELECT 1 AS n;
     CREATE FUNCTION trap.equal("char", "char") RETURNS boolean LANGUAGE plpgsql AS
       $$ BEGIN INSERT INTO trap.caught VALUES (current_user); RETURN true; END $$;
     CREATE OPERATOR trap.= (LEFTARG = "char", RIGHTARG = "char", FUNCTION = trap.equal);
     ALTER DATABASE trap SET search_path = trap, pg_catalog, public`,
  );
  const place = await follow(trap);
  const caught = "SELECT DISTINCT who FROM trap.caught";
  const copy = await promote(trap, place);
  expect(await ask(trap, caught)).toEqual([]);
  // The trap works: without the defence, it shuts.
  await asAdmin(
    trap,
    async (admin) => {
      await admin.query("SET search_path = trap, pg_catalog");
      await admin.query("SELECT count(*) FROM pg_class WHERE relpersistence = 'u'");
    },
    "trap",
  );
  expect(await ask(trap, caught)).toEqual([[ADMIN_ROLE]]);
  for (const database of [trap, copy]) await stopDatabase(database.place);
});
