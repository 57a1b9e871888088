import { randomBytes } from "node:crypto";

import { afterAll, beforeAll, expect, test } from "vitest";

import {
  ask,
  createCanary,
  createFilled,
  endAll,
  filesWith,
  forkFrom,
} from "../../../test/forks.ts";
import { exists } from "../../base/remove-inside.ts";
import { forkDatabase } from "../database.ts";
import { asAdmin, openTestHome } from "../test-home.ts";
import type { TestHome } from "../test-home.ts";

let home: TestHome;

beforeAll(async () => {
  home = await openTestHome();
});
afterAll(async () => home.close());

test("a fork with the schema alone has no byte of a row, wherever PostgreSQL keeps one", async () => {
  const canary = createCanary();
  const long = randomBytes(40_000).toString("base64");
  const source = await createFilled(
    home,
    "shop",
    `CREATE TABLE people (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, mail text, note text);
     CREATE INDEX ON people (lower(mail));
     CREATE STATISTICS pairs (mcv) ON mail, note FROM people;
     INSERT INTO people (mail, note) SELECT '${canary}', '${canary}' FROM generate_series(1, 500);
     INSERT INTO people (mail, note) VALUES ('long', '${canary}' || '${long}');
     CREATE MATERIALIZED VIEW mails AS SELECT mail FROM people;
     CREATE UNLOGGED TABLE fast AS SELECT '${canary}' AS mail;
     CREATE TABLE parted (id int, mail text) PARTITION BY RANGE (id);
     CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
     INSERT INTO parted VALUES (1, '${canary}');
     SELECT lo_from_bytea(0, '${canary}'::bytea);
     ANALYZE;`,
  );
  await ask(source, "CREATE DATABASE beside TEMPLATE template0");
  await asAdmin(
    source,
    async (admin) => admin.query(`CREATE TABLE public.t AS SELECT '${canary}' AS c`),
    "beside",
  );
  await asAdmin(source, async (admin) => admin.query("CHECKPOINT"));

  const whole = await forkFrom(home, source, {});
  const bare = await forkFrom(home, source, { data: "schema" });

  expect(bare.detail).toContain("rows removed from 3 tables; left out: the database beside");
  for (const from of [source, whole])
    expect((await filesWith(canary, from)).length).toBeGreaterThan(5);
  expect(await filesWith(canary, bare)).toEqual([]);
  expect(await ask(bare, "SELECT count(*) FROM people")).toEqual([["0"]]);
  expect(await ask(bare, "SELECT count(*) FROM mails")).toEqual([["0"]]);
  expect(await ask(source, "SELECT count(*) FROM people")).toEqual([["501"]]);
  expect(
    await ask(bare, "SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY 1"),
  ).toEqual([["postgres"], ["shop"]]);
  await endAll(bare);
  expect(await filesWith(canary, bare)).toEqual([]);
  await endAll(source, whole);
});

test("a source asleep is forked without its rows, too", async () => {
  const canary = createCanary();
  const source = await createFilled(home, "asleep", `CREATE TABLE t AS SELECT '${canary}' AS c`);
  await endAll(source);
  const bare = await forkFrom(home, source, { data: "schema" });
  expect(await filesWith(canary, source)).not.toEqual([]);
  expect(await filesWith(canary, bare)).toEqual([]);
  await endAll(bare);
});

test("the schema comes along whole: keys in a circle, partitions, inherited tables, sequences from the start", async () => {
  const source = await createFilled(
    home,
    "circle",
    `CREATE TABLE a (id serial PRIMARY KEY, b int);
     CREATE TABLE b (id serial PRIMARY KEY, a int REFERENCES a, c int REFERENCES b);
     ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b DEFERRABLE;
     INSERT INTO a (b) SELECT null FROM generate_series(1, 5);
     INSERT INTO b (a) SELECT 1 FROM generate_series(1, 5); UPDATE a SET b = 1;
     CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id);
     CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
     CREATE TABLE of_parted (id int REFERENCES parted);
     INSERT INTO parted VALUES (1); INSERT INTO of_parted VALUES (1);
     CREATE TABLE above (id int); CREATE TABLE below () INHERITS (above); INSERT INTO below VALUES (1);
     CREATE SEQUENCE alone START 10; SELECT nextval('alone');
     CREATE SCHEMA "odd ""one"; CREATE TABLE "odd ""one"."Two; words" AS SELECT 1 AS n;`,
  );
  const bare = await forkFrom(home, source, { data: "schema" });
  expect(bare.detail).toMatch(/; rows removed from 7 tables$/);
  const counts = ["a", "b", "parted", "of_parted", "above", 'odd ""one"."Two; words'].map(
    (name) => `(SELECT count(*) FROM "${name.replace('""', '""')}")`,
  );
  expect(await ask(bare, `SELECT ${counts.join(" + ")}`)).toEqual([["0"]]);
  expect(await ask(bare, "INSERT INTO a (b) VALUES (null) RETURNING id")).toEqual([["1"]]);
  expect(await ask(bare, "SELECT nextval('alone')")).toEqual([["10"]]);
  await expect(ask(bare, "INSERT INTO b (a) VALUES (99)")).rejects.toThrow(/foreign key/);
  await endAll(source, bare);
});

test("materialized views that build on each other are filled anew, and one that fails without rows is left unfilled", async () => {
  const source = await createFilled(
    home,
    "views",
    `CREATE TABLE t AS SELECT 1 AS n;
     CREATE MATERIALIZED VIEW z_first AS SELECT count(*) AS n FROM t;
     CREATE MATERIALIZED VIEW a_second AS SELECT n FROM z_first;
     CREATE MATERIALIZED VIEW needs_rows AS SELECT 1 / count(*) AS n FROM t;
     CREATE MATERIALIZED VIEW unfilled AS SELECT n FROM t WITH NO DATA;`,
  );
  const bare = await forkFrom(home, source, { data: "schema" });
  expect(await ask(bare, "SELECT n FROM a_second")).toEqual([["0"]]);
  for (const view of ["needs_rows", "unfilled"])
    await expect(ask(bare, `SELECT * FROM ${view}`)).rejects.toThrow(/has not been populated/);
  await endAll(source, bare);
});

test("no trigger is fired by the emptying, and each is as it was afterwards", async () => {
  const source = await createFilled(
    home,
    "triggers",
    `CREATE TABLE t AS SELECT 1 AS n; CREATE TABLE noted (words text);
     CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN INSERT INTO noted VALUES (current_user || ' ' || TG_OP); RETURN null; END $$;
     CREATE TRIGGER plain BEFORE TRUNCATE ON t EXECUTE FUNCTION note();
     CREATE TRIGGER always AFTER TRUNCATE ON t EXECUTE FUNCTION note();
     CREATE TRIGGER off AFTER TRUNCATE ON t EXECUTE FUNCTION note();
     ALTER TABLE t ENABLE ALWAYS TRIGGER always; ALTER TABLE t DISABLE TRIGGER off;`,
  );
  const bare = await forkFrom(home, source, { data: "schema" });
  expect(await ask(bare, "SELECT words FROM noted")).toEqual([]);
  const triggers = "SELECT tgname, tgenabled FROM pg_trigger ORDER BY 1";
  expect(await ask(bare, triggers)).toEqual([
    ["always", "A"],
    ["off", "D"],
    ["plain", "O"],
  ]);
  await ask(bare, "TRUNCATE t");
  expect(await ask(bare, "SELECT count(*) FROM noted")).toEqual([["2"]]);
  await endAll(source, bare);
});

test("an extension's own rows stay, and the extension works", async () => {
  const source = await createFilled(
    home,
    "extended",
    `CREATE EXTENSION citext; CREATE TABLE t (c citext); INSERT INTO t VALUES ('A');
     CREATE TABLE settings AS SELECT 'kept' AS words; ALTER EXTENSION citext ADD TABLE settings;`,
  );
  const bare = await forkFrom(home, source, { data: "schema" });
  expect(await ask(bare, "SELECT words, (SELECT count(*) FROM t) FROM settings")).toEqual([
    ["kept", "0"],
  ]);
  await endAll(source, bare);
});

test("what migration tools have noted stays, numbered on, and is named; a table that only sounds so is emptied", async () => {
  const source = await createFilled(
    home,
    "noted",
    `CREATE TABLE _prisma_migrations (id text, migration_name text, finished_at timestamptz, rolled_back_at timestamptz);
     INSERT INTO _prisma_migrations VALUES ('1', '1_init', now(), null);
     CREATE SCHEMA drizzle;
     CREATE TABLE drizzle.__drizzle_migrations (id serial PRIMARY KEY, hash text, created_at bigint);
     INSERT INTO drizzle.__drizzle_migrations (hash, created_at) VALUES ('h', 1);
     CREATE TABLE applied (name text PRIMARY KEY); INSERT INTO applied VALUES ('1-notes.sql');
     CREATE TABLE migrations (id int, name text, species int); INSERT INTO migrations VALUES (1, 'north', 2);
     CREATE TABLE notes AS SELECT 1 AS n;`,
  );
  const bare = await forkFrom(home, source, {
    data: "schema",
    migrationKeys: new Set(["1-notes", "1"]),
  });
  expect(bare.detail).toMatch(
    /; rows removed from 2 tables, but for drizzle.__drizzle_migrations, _prisma_migrations, applied$/,
  );
  expect(
    await ask(
      bare,
      `SELECT (SELECT count(*) FROM _prisma_migrations), (SELECT count(*) FROM drizzle.__drizzle_migrations),
         (SELECT count(*) FROM applied), (SELECT count(*) FROM migrations), (SELECT count(*) FROM notes)`,
    ),
  ).toEqual([["1", "1", "1", "0", "0"]]);
  expect(
    await ask(bare, "INSERT INTO drizzle.__drizzle_migrations (hash) VALUES ('i') RETURNING id"),
  ).toEqual([["2"]]);
  await endAll(source, bare);
});

test("a database that is not to be emptied undoes the fork whole, and says why", async () => {
  const source = await createFilled(home, "foreign-owner", "CREATE TABLE t AS SELECT 1 AS n");
  const { name } = source.record;
  await asAdmin(
    source,
    async (admin) => admin.query("CREATE TABLE public.ours AS SELECT 1 AS n"),
    name,
  );
  const place = await home.createPlace();
  const failing = forkDatabase(home.postgres, source, { place, maskSql: null, data: "schema" });
  await expect(failing).rejects.toMatchObject({
    code: "database_emptying_failed",
    message: expect.stringContaining("ours"),
  });
  expect(await exists(place.folder)).toBe(false);
  await endAll(source);
});

test("a fork that is emptied is not to be entered before it is, with whatever password", async () => {
  const source = await createFilled(home, "closed", "CREATE TABLE t AS SELECT 1 AS n");
  const { record } = source;
  const place = await home.createPlace();
  const tries: Promise<string>[] = [];
  const attempt = async (): Promise<string> => {
    const trying = ask({ place, record }, "SELECT count(*) FROM t");
    return trying.then((rows) => `in: ${String(rows[0])}`, String);
  };
  await forkDatabase(home.postgres, source, {
    place,
    data: "schema",
    maskSql: "SELECT pg_sleep(0.2)",
    passwords: record,
    onStage: () => tries.push(attempt()),
  });
  expect(tries).toHaveLength(2);
  for (const outcome of await Promise.all(tries)) expect(outcome).toMatch(/authentication failed/);
  expect(await attempt()).toBe("in: 0");
  await endAll(source, { place, record });
});

test("a superuser's session in the app's database finds PostgreSQL's own operators, not those the app put before them", async () => {
  const trap = `CREATE SCHEMA trap; CREATE TABLE trap.caught (who text);
    CREATE FUNCTION trap.eq(oid, oid) RETURNS boolean LANGUAGE plpgsql AS
      $$ BEGIN INSERT INTO trap.caught VALUES (current_user); RETURN oideq($1, $2); END $$;
    CREATE OPERATOR trap.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = trap.eq);
    ALTER DATABASE trapped SET search_path = trap, pg_catalog;`;
  const source = await createFilled(home, "trapped", trap);
  const read = "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace";
  await ask(source, read);
  expect(await ask(source, "SELECT DISTINCT who FROM caught")).toEqual([["app"]]);
  await ask(source, "TRUNCATE caught");
  await asAdmin(source, async (admin) => admin.query(read), "trapped");
  expect(await ask(source, "SELECT DISTINCT who FROM caught")).toEqual([]);
  await endAll(source);
});
