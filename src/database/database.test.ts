import { execFileSync } from "node:child_process";
import { mkdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { waitFor } from "../base/clock.ts";
import { Problem } from "../base/problem.ts";
import { exists } from "../base/remove-inside.ts";
import type { DatabasePlace } from "../environment/places.ts";
import { findFamily, isRunning, signalProcess } from "../process/process.ts";
import {
  createDatabase,
  forkDatabase,
  isDatabaseRunning,
  queryDatabase,
  startDatabase,
  stopDatabase,
} from "./database.ts";
import type { Database } from "./database.ts";
import { findPostmaster } from "./server/postmaster.ts";
import { asAdmin, countBusy, failureOf, openTestHome } from "./test-home.ts";
import type { TestHome } from "./test-home.ts";

let home: TestHome;
let shop: Database;

beforeAll(async () => {
  home = await openTestHome();
  shop = await create("my-shop");
});

afterAll(async () => {
  await home.close();
});

async function create(name: string): Promise<Database> {
  const place = await home.createPlace();
  return { place, record: await createDatabase(home.postgres, place, name) };
}

async function ask(database: Database, sql: string): Promise<(string | null)[][]> {
  return (await queryDatabase(database, sql)).rows;
}

async function requirePostmaster(place: DatabasePlace): Promise<number> {
  const pid = await findPostmaster(place);
  if (pid === undefined) throw new Error("The server runs.");
  return pid;
}

test("the app's role owns a database of the app's name, and is no superuser", async () => {
  const [row] = await ask(
    shop,
    `SELECT current_user, current_database(), pg_get_userbyid(datdba), rolsuper, rolcreaterole, rolcreatedb, rolreplication
     FROM pg_database, pg_roles WHERE datname = current_database() AND rolname = current_user`,
  );
  expect(row).toEqual(["app", "my-shop", "app", "f", "f", "t", "f"]);
});

test("the app makes tables, trusted extensions, and databases for tests and shadows", async () => {
  await ask(
    shop,
    "CREATE EXTENSION citext; CREATE EXTENSION pg_trgm; CREATE TABLE words (w citext)",
  );
  await ask(shop, "CREATE DATABASE shadow");
  for (const name of ["shadow", "postgres", "template1"]) {
    const other = { ...shop, record: { ...shop.record, name } };
    expect(await ask(other, "SELECT current_database()")).toEqual([[name]]);
  }
  expect(await ask(shop, "SELECT 'Ä'::citext = 'ä'::citext, show_trgm('ä') <> '{}'")).toEqual([
    ["t", "t"],
  ]);
});

test("the app cannot do what a superuser can", async () => {
  for (const sql of [
    "CREATE EXTENSION postgres_fdw",
    "SELECT pg_read_file('pg_hba.conf')",
    "COPY (SELECT 1) TO PROGRAM 'cat'",
    "ALTER SYSTEM SET fsync = off",
    "ALTER ROLE ramet PASSWORD 'x'",
  ]) {
    await expect(queryDatabase(shop, sql)).rejects.toMatchObject({ code: "sql_failed" });
  }
});

test("triggers can be switched off for fixtures", async () => {
  expect(
    await ask(shop, "SET session_replication_role = replica; SHOW session_replication_role"),
  ).toEqual([["replica"]]);
});

test("a wrong password is refused, the right one is in no log", async () => {
  const wrong = { ...shop, record: { ...shop.record, appPassword: "wrong" } };
  await expect(queryDatabase(wrong, "SELECT 1")).rejects.toThrow(/password authentication failed/);
  const log = await readFile(shop.place.log, "utf8");
  expect(log).toContain("password authentication failed");
  for (const secret of [shop.record.appPassword, shop.record.adminPassword])
    expect(log).not.toContain(secret);
});

test("the server listens on its socket alone, durable and small", async () => {
  const show = async (name: string): Promise<unknown> =>
    asAdmin(
      shop,
      async (admin) =>
        (
          await admin.query<{ setting: string }>(
            `SELECT setting FROM pg_settings WHERE name = '${name}'`,
          )
        ).rows[0]?.setting,
    );
  expect(await show("listen_addresses")).toBe("");
  expect(await show("fsync")).toBe("on");
  expect(await show("data_checksums")).toBe("on");
  expect(await show("wal_segment_size")).toBe(String(1024 * 1024));
  expect(await show("unix_socket_directories")).toBe(`"${shop.place.socketFolder}"`);
});

test("the data folder is its user's alone, and so is the server", async () => {
  const { mode, uid } = await stat(shop.place.folder);
  expect(mode & 0o777).toBe(0o700);
  expect(uid).toBe(shop.place.uid ?? process.getuid?.());
  const user = execFileSync(
    "ps",
    ["-o", "uid=,gid=", "-p", String(await requirePostmaster(shop.place))],
    { encoding: "utf8" },
  );
  const expected = shop.place.uid ?? process.getuid?.();
  expect(user.trim().split(/\s+/)[0]).toBe(String(expected));
  const group = shop.place.uid ?? process.getgid?.();
  expect(user.trim().split(/\s+/)[1]).toBe(String(group));
});

test("an app with the name of a database that every server has gets one of its own", async () => {
  const odd = await create("postgres");
  expect(odd.record.name).toBe("postgres-app");
  expect(await ask(odd, "SELECT current_database()")).toEqual([["postgres-app"]]);
  await stopDatabase(odd.place);
});

test("a start finds the server that runs; a stop ends it, twice too", async () => {
  const database = await create("again");
  const pid = await requirePostmaster(database.place);
  await startDatabase(home.postgres, database.place);
  expect(await requirePostmaster(database.place)).toBe(pid);
  const family = await findFamily(pid);
  expect(family.length).toBeGreaterThan(2);
  await stopDatabase(database.place);
  expect(family.filter(isRunning)).toEqual([]);
  expect(await isDatabaseRunning(database.place)).toBe(false);
  await stopDatabase(database.place);
  await expect(queryDatabase(database, "SELECT 1")).rejects.toMatchObject({
    code: "database_unreachable",
  });
});

test("rows survive stops and starts that come all at once", async () => {
  const database = await create("turns");
  await ask(database, "CREATE TABLE t AS SELECT 7 AS n");
  const turns = [0, 1, 2].flatMap(() => [
    stopDatabase(database.place),
    startDatabase(home.postgres, database.place),
  ]);
  await Promise.all(turns);
  expect(await ask(database, "SELECT n FROM t")).toEqual([["7"]]);
  await stopDatabase(database.place);
});

test("a stop does not wait for a session that is busy", async () => {
  const database = await create("busy");
  const busy = queryDatabase(database, "SELECT pg_sleep(600)");
  const ended = failureOf(busy);
  await waitFor(async () => (await countBusy(database)) === 1 || undefined, { timeoutMs: 10_000 });
  await stopDatabase(database.place);
  expect(await ended).toBeInstanceOf(Problem);
});

test("after a crash it starts again, though the dead server's pid is another process's by now", async () => {
  const database = await create("crash");
  const { place } = database;
  await ask(database, "CREATE TABLE t AS SELECT 1 AS n");
  const pid = await requirePostmaster(place);
  const family = await findFamily(pid);
  for (const member of [pid, ...family]) if (isRunning(member)) signalProcess(member, "SIGKILL");
  await waitFor(() => (family.some(isRunning) ? undefined : true), { timeoutMs: 10_000 });
  // Its lock names this very process, which runs, and as non-root is of the same user.
  const lock = path.join(place.folder, "postmaster.pid");
  const [, ...rest] = (await readFile(lock, "utf8")).split("\n");
  await writeFile(lock, [process.pid, ...rest].join("\n"));
  await writeFile(path.join(place.socketFolder, ".s.PGSQL.5432.lock"), `${process.pid}\n`);
  expect(await isDatabaseRunning(place)).toBe(false);
  await stopDatabase(place);
  await startDatabase(home.postgres, place);
  expect(await ask(database, "SELECT n FROM t")).toEqual([["1"]]);
  await stopDatabase(place);
});

test("a link or a pipe in place of the lock misleads nobody", async () => {
  const database = await create("planted");
  const { place } = database;
  await stopDatabase(place);
  const lock = path.join(place.folder, "postmaster.pid");
  execFileSync("mkfifo", [lock]);
  expect(await isDatabaseRunning(place)).toBe(false);
  await rm(lock);
  await symlink(path.join(shop.place.folder, "postmaster.pid"), lock);
  expect(await isDatabaseRunning(place)).toBe(false);
  await stopDatabase(place);
  expect(await isDatabaseRunning(shop.place)).toBe(true);
});

test("another environment's lock does not stop its server", async () => {
  const database = await create("borrowed");
  const { place } = database;
  await stopDatabase(place);
  await writeFile(
    path.join(place.folder, "postmaster.pid"),
    await readFile(path.join(shop.place.folder, "postmaster.pid")),
  );
  await stopDatabase(place);
  expect(await isDatabaseRunning(shop.place)).toBe(true);
});

test("a server that cannot start says why", async () => {
  const database = await create("broken");
  const { place } = database;
  await stopDatabase(place);
  await writeFile(path.join(place.folder, "PG_VERSION"), "12\n");
  const failing = startDatabase(home.postgres, place);
  await expect(failing).rejects.toMatchObject({ code: "database_failed" });
  await expect(failing).rejects.toThrow(/FATAL.*incompatible/);
  expect(await isDatabaseRunning(place)).toBe(false);
});

test("a create that fails leaves no folder and no process", async () => {
  const place = await home.createPlace();
  const programs = { ...home.postgres.programs, bin: path.join(home.folder, "not-postgres") };
  await mkdir(programs.bin);
  await expect(createDatabase({ ...home.postgres, programs }, place, "x")).rejects.toMatchObject({
    code: "program_missing",
  });
  expect(await exists(place.folder)).toBe(false);
});

test("a folder that is there already is not touched", async () => {
  await expect(createDatabase(home.postgres, shop.place, "x")).rejects.toThrow(/EEXIST/);
  await expect(
    forkDatabase(home.postgres, shop, { place: shop.place, maskSql: null }),
  ).rejects.toThrow(/EEXIST/);
  expect(await ask(shop, "SELECT 1")).toEqual([["1"]]);
});
