/** An app on a PostgreSQL of the user's own, with what only that one has. */
import { chmod, mkdir, rename, symlink, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";

import { problemSchema, queryResultSchema } from "../../src/protocol/schemas.ts";
import { findPostgresBin, listPostgresBins } from "./postgres-bins.ts";
import { openStage } from "./stage.ts";
import type { Stage } from "./stage.ts";

const INSTALLED = listPostgresBins()[0];
/** Each with a table, its index, and a question that the index answers. */
const INDEXES = [
  {
    extension: "vector",
    fill: `CREATE TABLE items (n int, place vector(3));
      INSERT INTO items SELECT n, ARRAY[n % 10, n / 10 % 10, n / 100]::vector FROM generate_series(0, 999) n;
      CREATE INDEX near ON items USING hnsw (place vector_l2_ops)`,
    ask: "SELECT n FROM items ORDER BY place <-> '[3,2,1]' LIMIT 1",
    answer: "123",
  },
  {
    extension: "rum",
    fill: `CREATE TABLE items (n int, words tsvector);
      INSERT INTO items SELECT n, to_tsvector('simple', 'word' || n || ' every') FROM generate_series(0, 999) n;
      CREATE INDEX near ON items USING rum (words rum_tsvector_ops)`,
    ask: "SELECT n FROM items WHERE words @@ 'word123'::tsquery ORDER BY words <=> 'word123'::tsquery LIMIT 1",
    answer: "123",
  },
];

let stage: Stage;
let before: string | undefined;

beforeAll(async () => {
  stage = await openStage();
  // As root, databases run as users who must reach what lies here.
  await chmod(stage.folder, 0o711);
  before = process.env["RAMET_POSTGRES_BIN"];
});

afterAll(async () => {
  setBin(before);
  await stage.close();
});

/** Commands of the stage have this process's variables. */
function setBin(bin: string | undefined): void {
  if (bin === undefined) delete process.env["RAMET_POSTGRES_BIN"];
  else process.env["RAMET_POSTGRES_BIN"] = bin;
}

async function makeApp(name: string, extensions: readonly string[]): Promise<string> {
  const folder = path.join(stage.folder, name);
  await mkdir(folder);
  const manifest = { app: name, processes: {}, database: { extensions } };
  await writeFile(path.join(folder, "ramet.json"), JSON.stringify(manifest));
  return folder;
}

async function ask(folder: string, sql: string, env = "development"): Promise<string[]> {
  const answer = await stage.json(folder, ["db", "query", sql, "--env", env]);
  return queryResultSchema.parse(answer).rows.map((row) => String(row[0]));
}

async function askVersion(folder: string, env: string): Promise<number> {
  const [version] = await ask(folder, "SHOW server_version_num", env);
  return Math.floor(Number(version) / 10_000);
}

async function failureOf(folder: string, argv: readonly string[]): Promise<unknown> {
  const { exitCode, stdout } = await stage.ramet(folder, [...argv, "--json"]);
  expect(exitCode).toBe(2);
  const answer: unknown = JSON.parse(stdout);
  return z.object({ problem: problemSchema }).parse(answer).problem;
}

describe.each(INDEXES)("an app with the extension $extension", ({ extension, fill, ...index }) => {
  const bin = findPostgresBin(extension);
  const where = bin === undefined ? "not installed here for any PostgreSQL" : `in ${bin}`;

  test.skipIf(bin === undefined)(`is forked with its index (${where})`, async () => {
    setBin(bin);
    const app = await makeApp(`with-${extension}`, [extension]);
    await stage.json(app, ["init"]);
    await ask(app, fill);
    // The fork is made by a server that knows nothing of the variable.
    setBin(undefined);
    await stage.json(app, ["server", "restart"]);
    await stage.json(app, ["env", "create", "copy"]);

    const unsorted = `SET enable_seqscan = off; SET enable_sort = off; ${index.ask}`;
    expect(await ask(app, unsorted, "copy")).toEqual([index.answer]);
    const plan = await ask(app, unsorted.replace("SELECT n", "EXPLAIN SELECT n"), "copy");
    expect(plan.join("\n")).toContain("Index Scan using near on items");
    expect(await askVersion(app, "copy")).toBe(await askVersion(app, "development"));

    await ask(app, "INSERT INTO items SELECT * FROM items WHERE n < 10", "copy");
    expect(await ask(app, "SELECT count(*) FROM items")).toEqual(["1000"]);
    await stage.json(app, ["app", "delete", `with-${extension}`, "--force"]);
  });
});

test.skipIf(INSTALLED === undefined)(
  `a PostgreSQL that went away is a problem, and its databases wait for it (${INSTALLED ?? "none is installed here"})`,
  async () => {
    const bin = path.join(stage.folder, "pg");
    await symlink(INSTALLED ?? "", bin);
    setBin(bin);
    const app = await makeApp("patient", []);
    await stage.json(app, ["init"]);
    await ask(app, "CREATE TABLE kept AS SELECT 42 AS n");
    await stage.json(app, ["env", "stop"]);
    setBin(undefined);
    await stage.json(app, ["server", "restart"]);
    await rename(bin, `${bin}-away`);
    for (const argv of [
      ["env", "start"],
      ["env", "create", "copy"],
      ["db", "query", "SELECT 1"],
    ]) {
      expect(await failureOf(app, argv)).toMatchObject({
        code: "postgres_gone",
        message: expect.stringContaining(bin),
        remedy: expect.stringContaining("Nothing of it is lost."),
      });
    }
    await rename(`${bin}-away`, bin);
    expect(await ask(app, "SELECT n FROM kept")).toEqual(["42"]);
    await stage.json(app, ["app", "delete", "patient", "--force"]);
  },
);

test("a folder without a PostgreSQL is a problem of the command that names it", async () => {
  setBin(path.join(stage.folder, "nothing"));
  const app = await makeApp("lost", []);
  expect(await failureOf(app, ["init"])).toMatchObject({ code: "postgres_unusable" });
  setBin(undefined);
  await stage.json(app, ["init"]);
  expect(await askVersion(app, "development")).toBe(18);
});

test("extensions that lead out of a database are refused, and those that are not there are named", async () => {
  setBin(undefined);
  for (const [name, extension, code] of [
    ["way-out", "dblink", "extension_refused"],
    ["unheard", "no_such_thing", "extension_missing"],
  ] as const) {
    const app = await makeApp(name, [extension]);
    expect(await failureOf(app, ["init"])).toMatchObject({
      code,
      message: expect.stringContaining(extension),
    });
  }
  const app = await makeApp("harmless", ["moddatetime", "hstore"]);
  await stage.json(app, ["init"]);
  expect(await ask(app, "SELECT extname FROM pg_extension ORDER BY 1")).toEqual([
    "hstore",
    "moddatetime",
    "plpgsql",
  ]);
});
