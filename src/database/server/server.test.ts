import { execFileSync } from "node:child_process";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import path from "node:path";

import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";

import { exists } from "../../base/remove-inside.ts";
import { DEFAULT_LIMITS } from "../../environment/manifest.ts";
import type { DatabasePlace } from "../../environment/places.ts";
import { flushDataFolder } from "../copy/flush.ts";
import {
  createDatabase,
  forkDatabase,
  queryDatabase,
  startDatabase,
  stopDatabase,
} from "../database.ts";
import type { Database } from "../database.ts";
import { ADMIN_ROLE, APP_ROLE, formatSettings } from "../place/settings.ts";
import { quoteName, quoteText } from "../place/sql.ts";
import { asAdmin, openTestHome } from "../test-home.ts";
import type { TestHome } from "../test-home.ts";

const SERVER = {
  name: "x",
  socketFolder: "/s",
  shared: false,
  major: 18,
  limits: DEFAULT_LIMITS,
};

let home: TestHome;
let shop: Database;

beforeAll(async () => {
  home = await openTestHome();
  const place = await home.createPlace();
  shop = { place, record: await createDatabase(home.postgres, place, "my-shop") };
});

afterAll(async () => {
  await home.close();
});

/** What the server understands of a parameter, of the settings in this folder. */
function understood(folder: string, parameter: string): string {
  // In this order: only then root may ask.
  const postgres = path.join(home.postgres.programs.bin, "postgres");
  return execFileSync(postgres, ["-C", parameter, "-D", folder], { encoding: "utf8" }).trimEnd();
}

async function ask(sql: string): Promise<(string | null)[][]> {
  return (await queryDatabase(shop, sql)).rows;
}

test.each([
  "/run/plain",
  "/run/with space",
  "/run/o'clock",
  String.raw`/run/back\slash`,
  String.raw`/run/\'both`,
  '/run/"quoted"',
  "/run/comma,comma",
  "/run/#hash = x",
  "/run/$HOME/`id`",
  "/run/é🦊",
])("PostgreSQL understands the folder %j as it is meant", async (socketFolder) => {
  const folder = path.join(home.folder, `conf-${Buffer.from(socketFolder).toString("hex")}`);
  await mkdir(folder);
  const settings = formatSettings({ ...SERVER, socketFolder });
  await writeFile(path.join(folder, "postgresql.conf"), settings);

  const said = understood(folder, "unix_socket_directories");
  expect(said).toBe(`"${socketFolder.replaceAll('"', '""')}"`);
  expect(understood(folder, "cluster_name")).toBe("x");
  expect(understood(folder, "fsync")).toBe("on");
});

test("no name of an environment sets a setting of its own", async () => {
  const folder = path.join(home.folder, "conf-names");
  await mkdir(folder);
  for (const name of ["a'b", "a\\", "x'  fsync = off", "'", "\\'"]) {
    const settings = formatSettings({ ...SERVER, name, shared: true });
    await writeFile(path.join(folder, "postgresql.conf"), settings);
    expect(understood(folder, "cluster_name")).toBe(name);
    expect(understood(folder, "fsync")).toBe("on");
  }
});

const text = fc.string({
  unit: fc.oneof(
    fc.constantFrom("'", '"', "\\", ";", "-", "$", "%", "\n", "E", " ", "é"),
    fc.string({ minLength: 1, maxLength: 1, unit: "grapheme" }),
  ),
  maxLength: 20,
});
const legal = text.filter((one) => !one.includes("\0") && one.isWellFormed());

test("whatever text is quoted comes back from the server as it was", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(legal, { minLength: 1, maxLength: 50 }), async (texts) => {
      const [row] = await ask(`SELECT ${texts.map((one) => quoteText(one)).join(", ")}`);
      expect(row).toEqual(texts);
    }),
    { numRuns: 20 },
  );
});

test("whatever name is quoted is the name of a column", async () => {
  const name = legal.filter((one) => one !== "" && Buffer.byteLength(one) < 64);
  await fc.assert(
    fc.asyncProperty(fc.array(name, { minLength: 1, maxLength: 30 }), async (names) => {
      const sql = `SELECT ${names.map((one) => `1 AS ${quoteName(one)}`).join(", ")}`;
      expect((await queryDatabase(shop, sql)).columns).toEqual(names);
    }),
    { numRuns: 20 },
  );
});

test("a name and a text that try to end their quotation run nothing", async () => {
  const attack = "x'; CREATE TABLE stolen (n int); --";
  const attackName = 'x"; CREATE TABLE stolen (n int); --';
  await expect(ask(`SELECT * FROM ${quoteName(attackName)}`)).rejects.toThrow(/does not exist/);
  expect(await ask(`SELECT ${quoteText(attack)}`)).toEqual([[attack]]);
  // Unquoted it works.
  await ask(`SELECT '${attack}`);
  expect(await ask("SELECT to_regclass('stolen')")).toEqual([["stolen"]]);
});

test("the server reads its access rules without a fault, and they are two", async () => {
  const rules = await asAdmin(shop, async (admin) =>
    admin.query("SELECT type, database, user_name, auth_method, error FROM pg_hba_file_rules"),
  );
  expect(rules.rows).toEqual([
    {
      type: "local",
      database: ["all"],
      user_name: ["all"],
      auth_method: "scram-sha-256",
      error: null,
    },
    {
      type: "local",
      database: ["replication"],
      user_name: [ADMIN_ROLE],
      auth_method: "scram-sha-256",
      error: null,
    },
  ]);
});

test("no setting of ours is unknown, or awaits a restart", async () => {
  const { rows } = await asAdmin(shop, async (admin) =>
    admin.query("SELECT name, error FROM pg_file_settings WHERE NOT applied OR error IS NOT NULL"),
  );
  expect(rows).toEqual([]);
});

test("only the verifier of a password is kept, a salted one", async () => {
  const { rows } = await asAdmin(shop, async (admin) =>
    admin.query<{ rolname: string; rolpassword: string }>(
      "SELECT rolname, rolpassword FROM pg_authid WHERE rolcanlogin ORDER BY rolname",
    ),
  );
  expect(rows.map(({ rolname }) => rolname)).toEqual([APP_ROLE, "ramet"]);
  const salts = rows.map(
    ({ rolpassword }) => /^SCRAM-SHA-256\$4096:([^$]+)\$/.exec(rolpassword)?.[1],
  );
  expect(new Set(salts).size).toBe(2);
});

test("a data folder is flushed in both ways, and one that is not there is a problem", async () => {
  await expect(
    flushDataFolder(home.postgres.programs, path.join(home.folder, "nothing"), "fsync"),
  ).rejects.toMatchObject({ code: expect.stringMatching(/database_failed|program_failed/) });
  for (const method of ["fsync", process.platform === "linux" ? "syncfs" : "fsync"] as const)
    await flushDataFolder(home.postgres.programs, shop.place.folder, method);
});

test("the way a fork is flushed is its first start's alone", async () => {
  const place = await home.createPlace();
  const { record } = await forkDatabase(home.postgres, shop, { place, maskSql: null });
  const fork = { place, record };
  const show = async (): Promise<unknown> =>
    (await queryDatabase(fork, "SHOW recovery_init_sync_method")).rows[0]?.[0];
  expect(["fsync", "syncfs"]).toContain(await show());

  await stopDatabase(place);
  await startDatabase(home.postgres, place);

  expect(await show()).toBe("fsync");
  const settings = await readFile(path.join(place.folder, "postgresql.conf"), "utf8");
  expect(settings).not.toContain("recovery_init_sync_method");
  await stopDatabase(place);
});

test("a copy at rest is flushed before its server starts; one of a server that runs is flushed by its own", async () => {
  const bin = path.join(home.folder, "noting");
  const notes = path.join(home.folder, "notes");
  await mkdir(bin);
  await symlink(path.join(home.postgres.programs.bin, "postgres"), path.join(bin, "postgres"));
  const script = `#!/bin/sh\necho "$@" >> ${notes}\nfor one; do :; done\nls "\${one#--pgdata=}" >> ${notes}\n`;
  await writeFile(path.join(bin, "initdb"), script, { mode: 0o755 });
  const forkOne = async (): Promise<DatabasePlace> => {
    const place = await home.createPlace();
    const programs = { ...home.postgres.programs, bin };
    await forkDatabase({ programs }, shop, { place, maskSql: null });
    await stopDatabase(place);
    return place;
  };

  await forkOne();
  expect(await exists(notes)).toBe(false);
  await stopDatabase(shop.place);
  const { folder } = await forkOne();

  const [asked = "", ...files] = (await readFile(notes, "utf8")).trim().split("\n");
  expect(asked).toMatch(/^--sync-only --sync-method=(fsync|syncfs) --pgdata=/);
  expect(asked.endsWith(folder)).toBe(true);
  expect(files).toContain("PG_VERSION");
  expect(files).not.toContain("postmaster.opts");
});
