import path from "node:path";

import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";

import { eventually, fetchJson, openStage } from "./stage.ts";
import type { Stage } from "./stage.ts";

/** Of copies under way; a standby that follows keeps one of its own. */
const SLOTS_OF_FORKS =
  "select count(*) from pg_replication_slots where temporary or slot_name not like 'ramet_standby_%'";

let stage: Stage;
let app: string;
let databaseUrl: string;
let url: string;

beforeAll(async () => {
  stage = await openStage();
  app = await stage.copyApp("notes", ["pg"]);
  ({ databaseUrl, url } = addressesOf(await stage.json(app, ["init"])));
  await stage.json(app, [
    "db",
    "query",
    "create table accounts (id int primary key, balance int not null); insert into accounts select n, 100 from generate_series(1, 100) n; create table ledger (id serial, at timestamptz default now())",
  ]);
});
afterAll(async () => stage.close());

test("eight forks at one moment from a source under load: eight right environments, and the source never falters", async () => {
  const load = startLoad(databaseUrl);
  const names = Array.from({ length: 8 }, (_, index) => `agent-${index}`);
  try {
    const made = await Promise.all(
      names.map(async (name) => stage.json(app, ["env", "create", name])),
    );

    const forks = made.map(addressesOf);
    for (const fork of forks) {
      expect(await readSum(fork.databaseUrl)).toBe(100 * 100);
      expect(await fetchJson(fork.url)).toMatchObject({ notes: 1000 });
    }
    expect(new Set(forks.map((fork) => fork.databaseUrl)).size).toBe(8);
  } finally {
    const { statements, failures } = await load.stop();
    expect(failures).toEqual([]);
    expect(statements).toBeGreaterThan(0);
  }
  await writeInEach(names);
  for (const name of names)
    expect(await stage.ramet(app, ["env", "delete", name, "--force"])).toMatchObject({
      exitCode: 0,
    });
  expect(await stage.json(app, ["doctor"])).toMatchObject({ leftovers: [] });
  // A standby may be made behind, which copies as well.
  await eventually(async () => expect(await readCount("slots", SLOTS_OF_FORKS)).toBe("0"));
});

test("ten cycles of create and delete leave nothing for doctor", async () => {
  for (let cycle = 0; cycle < 10; cycle += 1) {
    await stage.json(app, ["env", "create", "again"]);
    expect(await stage.ramet(app, ["env", "delete", "again", "--force"])).toMatchObject({
      exitCode: 0,
    });
  }
  expect(await stage.json(app, ["doctor"])).toMatchObject({ leftovers: [] });
  expect(await stage.json(app, ["env", "list"])).toHaveLength(1);
});

test("of two creates of one name at one moment, one is told that it is taken", async () => {
  const outcomes = await Promise.all(
    [1, 2].map(async () => stage.ramet(app, ["env", "create", "twin", "--json"])),
  );
  expect(outcomes.map(({ exitCode }) => String(exitCode)).toSorted()).toEqual(["0", "2"]);
  expect(outcomes.map(({ stdout }) => stdout).join("")).toContain('"environment_exists"');
  await stage.ramet(app, ["env", "delete", "twin", "--force"]);
});

test("a fork of a fork has its parent's rows, and outlives it", async () => {
  await stage.json(app, ["env", "create", "parent"]);
  await stage.json(app, ["db", "query", "delete from notes where id > 5", "--env", "parent"]);
  const child = addressesOf(await stage.json(app, ["env", "create", "child", "--from", "parent"]));
  await stage.ramet(app, ["env", "delete", "parent", "--force"]);
  expect(await fetchJson(child.url)).toMatchObject({ environment: "child", notes: 5 });
  await stage.ramet(app, ["env", "delete", "child", "--force"]);
});

test("a sleeping source is forked, and sleeps on", async () => {
  await stage.json(app, ["env", "stop", "development"]);
  const made = addressesOf(await stage.json(app, ["env", "create", "early"]));
  expect(await fetchJson(made.url)).toMatchObject({ notes: 1000 });
  expect(await stage.json(app, ["env", "show", "development"])).toMatchObject({ state: "asleep" });
  await stage.ramet(app, ["env", "delete", "early", "--force"]);
});

test("the next request wakes what sleeps", async () => {
  await stage.json(app, ["env", "stop", "development"]);
  expect(await fetchJson(url)).toMatchObject({ environment: "development" });
  expect(await stage.json(app, ["env", "show", "development"])).toMatchObject({ state: "awake" });
});

/** Inserts rows and moves money about until it is stopped; every statement must succeed, and every transfer keeps the sum. */
function startLoad(address: string): {
  stop(): Promise<{ statements: number; failures: string[] }>;
} {
  const failures: string[] = [];
  let statements = 0;
  const stop = new AbortController();
  const loop = async (sql: () => string): Promise<void> => {
    const client = new pg.Client({ connectionString: address });
    client.on("error", (error) => failures.push(error.message));
    await client.connect();
    while (!stop.signal.aborted) {
      await client.query(sql()).catch((error: unknown) => failures.push(String(error)));
      statements += 1;
    }
    await client.end();
  };
  const loops = [
    loop(() => "insert into ledger default values"),
    loop(() => {
      const [from, to] = [pick(), pick()].toSorted((a, b) => a - b);
      return `begin; update accounts set balance = balance - 1 where id = ${from}; update accounts set balance = balance + 1 where id = ${to}; commit`;
    }),
  ];
  return {
    stop: async () => {
      stop.abort();
      await Promise.all(loops);
      return { statements, failures };
    },
  };
}

function pick(): number {
  return 1 + Math.floor(Math.random() * 100);
}

async function readSum(address: string): Promise<number> {
  const client = new pg.Client({ connectionString: address });
  await client.connect();
  const { rows } = await client.query<{ sum: string }>("select sum(balance) from accounts");
  await client.end();
  return Number(rows[0]?.sum);
}

async function readCount(name: string, sql: string): Promise<unknown> {
  const answer = await stage.json(app, ["db", "query", sql]);
  if (
    typeof answer === "object" &&
    answer !== null &&
    "rows" in answer &&
    Array.isArray(answer.rows)
  )
    return answer.rows[0]?.[0];
  throw new Error(`No ${name} in ${JSON.stringify(answer)}.`);
}

async function writeInEach(names: readonly string[]): Promise<void> {
  await Promise.all(
    names.map(async (name, index) =>
      stage.json(app, ["db", "query", `delete from notes where id > ${index + 1}`, "--env", name]),
    ),
  );
  for (const [index, name] of names.entries()) {
    const shown = addressesOf(await stage.json(app, ["env", "show", name]));
    expect(await fetchJson(shown.url)).toMatchObject({ environment: name, notes: index + 1 });
  }
  expect(await fetchJson(url)).toMatchObject({ notes: 1000 });
}

function addressesOf(made: unknown): { url: string; databaseUrl: string; folder: string } {
  if (typeof made !== "object" || made === null)
    throw new Error(`No environment: ${JSON.stringify(made)}`);
  const { url: address, databaseUrl: database } = { url: "", databaseUrl: "", ...made };
  return { url: address, databaseUrl: database, folder: path.join(stage.folder, "x") };
}
