import { chown, mkdir, readFile, readdir, stat, symlink, writeFile } from "node:fs/promises";
import path from "node:path";

import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";

import { waitFor } from "../../base/clock.ts";
import { exists } from "../../base/remove-inside.ts";
import { findFamily, isRunning, signalProcess } from "../../process/process.ts";
import {
  createDatabase,
  forkDatabase,
  isDatabaseRunning,
  queryDatabase,
  startDatabase,
  stopDatabase,
} from "../database.ts";
import type { Database } from "../database.ts";
import { findPostmaster } from "../server/postmaster.ts";
import { asAdmin, failureOf, openTestHome, untilNoTraces } from "../test-home.ts";
import type { TestHome } from "../test-home.ts";

let home: TestHome;
let source: Database;

beforeAll(async () => {
  home = await openTestHome();
  source = await create("my-shop");
  await ask(
    source,
    "CREATE TABLE people AS SELECT n, 'p' || n || '@example.com' AS mail FROM generate_series(1, 2000) n",
  );
});

afterAll(async () => {
  await home.close();
});

async function create(name: string): Promise<Database> {
  const place = await home.createPlace();
  return { place, record: await createDatabase(home.postgres, place, name) };
}

async function fork(
  from: Database,
  maskSql: string | null = null,
): Promise<Database & { detail: string }> {
  const place = await home.createPlace();
  const { record, detail } = await forkDatabase(home.postgres, from, { place, maskSql });
  return { place, record, detail };
}

async function ask(database: Database, sql: string): Promise<(string | null)[][]> {
  return (await queryDatabase(database, sql)).rows;
}

test("a fork has the rows of its source, and neither sees what the other writes from then on", async () => {
  const copy = await fork(source);
  expect(copy.detail).toMatch(/^(reflink|copied) \d+ MB$/);
  await ask(source, "INSERT INTO people VALUES (0, 'source only')");
  await ask(copy, "DELETE FROM people WHERE n > 1000");
  expect(await ask(copy, "SELECT count(*), min(n) FROM people")).toEqual([["1000", "1"]]);
  expect(await ask(source, "SELECT count(*), min(n) FROM people")).toEqual([["2001", "0"]]);
  await ask(source, "DELETE FROM people WHERE n = 0");
  expect(await untilNoTraces(source)).toBe(0);
  await stopDatabase(copy.place);
  await startDatabase(home.postgres, copy.place);
  expect(await ask(copy, "SELECT count(*) FROM people")).toEqual([["1000"]]);
  await stopDatabase(copy.place);
});

test("a fork has passwords of its own", async () => {
  const copy = await fork(source);
  const { appPassword, adminPassword, name } = copy.record;
  expect(name).toBe("my-shop");
  expect([appPassword, adminPassword]).not.toContain(source.record.appPassword);
  expect([appPassword, adminPassword]).not.toContain(source.record.adminPassword);
  await expect(
    queryDatabase({ place: copy.place, record: source.record }, "SELECT 1"),
  ).rejects.toThrow(/password/);
  await expect(
    asAdmin({ place: copy.place, record: source.record }, async () => {}),
  ).rejects.toThrow(/password/);
  expect(await ask(source, "SELECT 1")).toEqual([["1"]]);
  await stopDatabase(copy.place);
});

test("a fork is no standby and leads nowhere", async () => {
  await asAdmin(source, async (admin) => {
    await admin.query("ALTER SYSTEM SET primary_conninfo = 'host=elsewhere password=secret'");
    await admin.query("SELECT pg_create_physical_replication_slot('kept', true)");
  });
  const copy = await fork(source);
  await asAdmin(copy, async (admin) => {
    const { rows } = await admin.query(
      "SELECT pg_is_in_recovery() AS standby, current_setting('primary_conninfo') AS conninfo, (SELECT count(*)::int FROM pg_replication_slots) AS slots",
    );
    expect(rows).toEqual([{ standby: false, conninfo: "", slots: 0 }]);
  });
  expect(await exists(path.join(copy.place.folder, "postgresql.auto.conf"))).toBe(false);
  await asAdmin(source, async (admin) => {
    await admin.query("ALTER SYSTEM RESET ALL");
    await admin.query("SELECT pg_drop_replication_slot('kept')");
  });
  await stopDatabase(copy.place);
});

test("a source asleep is forked as it is, stays asleep, and wakes when the copies are done", async () => {
  const asleep = await create("asleep");
  await ask(
    asleep,
    "CREATE TABLE t AS SELECT generate_series(1, 10) AS n; CREATE UNLOGGED TABLE u AS SELECT 1 AS n",
  );
  await stopDatabase(asleep.place);
  const forks = [fork(asleep), fork(asleep)];
  const [one, two] = await Promise.all(forks);
  expect(await isDatabaseRunning(asleep.place)).toBe(false);
  const three = fork(asleep);
  await startDatabase(home.postgres, asleep.place);
  for (const copy of [one, two, await three]) {
    if (copy === undefined) throw new Error("It was forked.");
    expect(await ask(copy, "SELECT count(*) FROM t")).toEqual([["10"]]);
    await stopDatabase(copy.place);
  }
  expect(await ask(asleep, "SELECT count(*) FROM t")).toEqual([["10"]]);
  await stopDatabase(asleep.place);
});

test("a source that crashed is forked with all that it had committed", async () => {
  const crashed = await create("crashed");
  await ask(crashed, "CREATE TABLE t AS SELECT generate_series(1, 10) AS n");
  const pid = await findPostmaster(crashed.place);
  if (pid === undefined) throw new Error("It runs.");
  const family = await findFamily(pid);
  for (const member of [pid, ...family]) if (isRunning(member)) signalProcess(member, "SIGKILL");
  await waitFor(() => (family.some(isRunning) ? undefined : true), { timeoutMs: 10_000 });
  const copy = await fork(crashed);
  expect(await ask(copy, "SELECT count(*) FROM t")).toEqual([["10"]]);
  await stopDatabase(copy.place);
});

test("a mask has changed the rows before anyone can connect", async () => {
  const copy = await fork(
    source,
    "SET session_replication_role = replica; UPDATE people SET mail = 'x';",
  );
  expect(await ask(copy, "SELECT DISTINCT mail FROM people")).toEqual([["x"]]);
  expect(await ask(source, "SELECT count(DISTINCT mail) FROM people")).toEqual([["2000"]]);
  await stopDatabase(copy.place);
});

test("a mask runs as the app's role, not as superuser", async () => {
  const copy = await fork(source, "CREATE TABLE who AS SELECT current_user::text AS name");
  expect(await ask(copy, "SELECT name FROM who")).toEqual([["app"]]);
  await stopDatabase(copy.place);
});

test("a function that the app puts before PostgreSQL's own is not run by the superuser who forks it", async () => {
  const sly = await create("sly");
  await ask(
    sly,
    `CREATE UNLOGGED TABLE passing (n int); CREATE SCHEMA evil; CREATE TABLE caught (who text); GRANT INSERT ON caught TO PUBLIC;
     CREATE FUNCTION evil.note(state bigint) RETURNS bigint LANGUAGE plpgsql SECURITY INVOKER AS
       'BEGIN INSERT INTO public.caught VALUES (current_user); RETURN 1; END';
     CREATE AGGREGATE evil.count(*) (SFUNC = evil.note, STYPE = bigint);
     ALTER DATABASE sly SET search_path = evil, pg_catalog`,
  );
  const copy = await fork(sly);
  expect(await ask(sly, "SELECT who FROM public.caught")).toEqual([]);

  // Without a path of its own the superuser's session runs it.
  const { socketFolder } = sly.place;
  const careless = { user: "ramet", password: sly.record.adminPassword, database: "sly" };
  const client = new Client({ host: socketFolder, port: 5432, ...careless });
  await client.connect();
  await client.query("SELECT count(*) FROM pg_catalog.pg_class WHERE relpersistence = 'u'");
  await client.end();
  expect(await ask(sly, "SELECT DISTINCT who FROM public.caught")).toEqual([["ramet"]]);
  for (const { place } of [sly, copy]) await stopDatabase(place);
});

test("what the app set for its role and its database does not stop a mask", async () => {
  const strict = await create("strict");
  await ask(strict, "CREATE TABLE t AS SELECT 1 AS n");
  await ask(
    strict,
    "ALTER DATABASE strict SET default_transaction_read_only = on; ALTER ROLE app SET statement_timeout = 1",
  );
  const copy = await fork(strict, "UPDATE t SET n = 2; SELECT pg_sleep(0.05)");
  const { rows } = await asAdmin(
    copy,
    async (admin) => admin.query("SELECT n FROM public.t"),
    "strict",
  );
  expect(rows).toEqual([{ n: 2 }]);
  for (const { place } of [strict, copy]) await stopDatabase(place);
});

test.each([
  ["UPDATE no_such SET n = 1", /relation "no_such" does not exist/],
  ["SELECT pg_terminate_backend(pg_backend_pid())", /terminat/],
])("a mask that fails, as %s does, undoes the fork", async (sql, message) => {
  const place = await home.createPlace();
  const failing = forkDatabase(home.postgres, source, { place, maskSql: sql });
  await expect(failing).rejects.toMatchObject({
    code: "mask_failed",
    message: expect.stringMatching(message),
  });
  expect(await exists(place.folder)).toBe(false);
  expect(await isDatabaseRunning(place)).toBe(false);
  expect(await exists(path.join(place.socketFolder, ".s.PGSQL.5432"))).toBe(false);
  expect(await untilNoTraces(source)).toBe(0);
});

test("unlogged tables of a source that is awake arrive empty, and the fork says so", async () => {
  const fast = await create("fast");
  await ask(fast, "CREATE UNLOGGED TABLE u AS SELECT generate_series(1, 100) AS n");
  const copy = await fork(fast);
  expect(copy.detail).toMatch(/; unlogged tables are empty: 1$/);
  expect(await ask(copy, "SELECT count(*) FROM u")).toEqual([["0"]]);
  expect(await ask(fast, "SELECT count(*) FROM u")).toEqual([["100"]]);
  for (const { place } of [fast, copy]) await stopDatabase(place);
});

test("tablespaces are refused, awake or asleep", async () => {
  const spread = await create("spread");
  const folder = path.join(path.dirname(spread.place.folder), "elsewhere");
  await mkdir(folder, { mode: 0o700 });
  if (spread.place.uid !== null) await chown(folder, spread.place.uid, spread.place.uid);
  await asAdmin(spread, async (admin) => admin.query(`CREATE TABLESPACE far LOCATION '${folder}'`));
  await expect(fork(spread)).rejects.toMatchObject({
    code: "database_tablespaces",
    message: expect.stringContaining("far"),
  });
  await stopDatabase(spread.place);
  await expect(fork(spread)).rejects.toMatchObject({ code: "database_tablespaces" });
});

/** While its checkpointer is held still, a backup of the source has begun and comes no further, however quick its copy is. */
async function holdingBackups<T>(work: () => Promise<T>): Promise<T> {
  const checkpointer = await asAdmin(source, async (admin) => {
    const { rows } = await admin.query<{ pid: number }>(
      "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'",
    );
    return rows[0]?.pid ?? 0;
  });
  signalProcess(checkpointer, "SIGSTOP");
  try {
    return await work();
  } finally {
    signalProcess(checkpointer, "SIGCONT");
  }
}

/** Ends the session by which a fork copies the source, once there is one other than `before`. Resolves with its pid. */
async function cutBackup(before = 0): Promise<number> {
  const cut = await asAdmin(source, async (admin) =>
    waitFor(
      async () => {
        const { rows } = await admin.query<{ pid: number }>(
          `SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE usename = 'ramet' AND pid NOT IN ($1, pg_backend_pid()) AND query LIKE '%pg_backup_start%'`,
          [before],
        );
        return rows[0]?.pid;
      },
      { timeoutMs: 20_000, everyMs: 1 },
    ),
  );
  if (cut === undefined) throw new Error("There was no backup.");
  return cut;
}

test("a fork whose session with the source is cut is made once more, and the source serves on", async () => {
  const forking = await holdingBackups(async () => {
    // Boxed: only its first backup is waited for here.
    const begun = { copy: fork(source) };
    await cutBackup();
    return begun;
  });
  const copy = await forking.copy;
  expect(await ask(copy, "SELECT count(*) FROM people")).toEqual([["2000"]]);
  expect(await untilNoTraces(source)).toBe(0);
  await stopDatabase(copy.place);
});

test("a fork whose session with the source is cut again and again gives one problem, and leaves nothing", async () => {
  const place = await home.createPlace();
  await holdingBackups(async () => {
    const outcome = failureOf(forkDatabase(home.postgres, source, { place, maskSql: null }));
    await cutBackup(await cutBackup());
    expect(await outcome).toMatchObject({ code: "database_fork_failed" });
  });
  expect(await exists(place.folder)).toBe(false);
  expect(await untilNoTraces(source)).toBe(0);
  expect(await ask(source, "SELECT count(*) FROM people")).toEqual([["2000"]]);
});

test("a link that the source's user planted in its data folder brings nothing into the fork", async () => {
  const secret = path.join(home.folder, "secret");
  await writeFile(secret, "the server's key", { mode: 0o600 });
  for (const name of ["16999", "17000"]) {
    await symlink(secret, path.join(source.place.folder, "base", "5", name));
  }
  expect(await readFile(path.join(source.place.folder, "base", "5", "16999"), "utf8")).toBe(
    "the server's key",
  );
  const copy = await fork(source);
  expect(await readdir(path.join(copy.place.folder, "base", "5"))).not.toContain("16999");
  expect((await stat(path.join(copy.place.folder, "base", "5"))).uid).toBe(
    (await stat(copy.place.folder)).uid,
  );
  await stopDatabase(copy.place);
});
