/** What of its source's database a fork has: all, its tables without the rows, or nothing; and what its branch lacks. */
import { cp, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { openStage } from "./stage.ts";
import type { Stage } from "./stage.ts";

let stage: Stage;
let app: string;

beforeAll(async () => {
  stage = await openStage();
  app = await stage.copyApp("notes", ["pg"]);
  await stage.json(app, ["init"]);
});
afterAll(async () => stage.close());

async function count(environment: string, table = "notes"): Promise<unknown> {
  const sql = `SELECT count(*) FROM ${table}`;
  const result = await stage.json(app, ["db", "query", sql, "--env", environment]);
  return typeof result === "object" && result !== null && "rows" in result ? result.rows : result;
}

test("a fork with the schema alone is seeded by its own files, and its migrations are not run again", async () => {
  await stage.json(app, ["db", "query", "DELETE FROM notes WHERE id > 10"]);
  const args = ["env", "create", "bare", "--data", "schema"];
  const { exitCode, stderr } = await stage.ramet(app, args);
  expect([exitCode, stderr]).toEqual([0, expect.stringContaining("rows removed from")]);
  expect(stderr).toContain("database: started (removing rows)");
  expect(stderr).toMatch(/migrate: done[^]*seed: done/);
  expect([await count("bare"), await count("development")]).toEqual([[["1000"]], [["10"]]]);
  expect(await count("bare", "applied")).toEqual([["1"]]);
});

test("a fork without data is made by its own migrations and seed; a fork of that one has its rows", async () => {
  expect(await stage.json(app, ["env", "create", "empty", "--data", "none"])).toMatchObject({
    state: "awake",
    problems: [],
  });
  expect(await count("empty")).toEqual([["1000"]]);
  await stage.json(app, ["db", "query", "DELETE FROM notes WHERE id > 7", "--env", "empty"]);
  await stage.json(app, ["env", "create", "of-empty", "--from", "empty"]);
  expect(await count("of-empty")).toEqual([["7"]]);
});

test("forks of forks reach any depth", async () => {
  for (let depth = 1; depth <= 5; depth += 1) {
    const from = depth === 1 ? "development" : `deep-${depth - 1}`;
    const made = await stage.json(app, ["env", "create", `deep-${depth}`, "--from", from]);
    expect(made).toMatchObject({ parent: from, state: "awake" });
    const add = `INSERT INTO notes (text) VALUES ('${depth}')`;
    await stage.json(app, ["db", "query", add, "--env", `deep-${depth}`]);
    expect(await count(`deep-${depth}`)).toEqual([[String(10 + depth)]]);
  }
  for (let depth = 1; depth <= 5; depth += 1)
    await stage.json(app, ["env", "delete", `deep-${depth}`, "--force"]);
});

test("a manifest says what forks have, the command line overrules it, and nonsense is a problem", async () => {
  const file = path.join(app, "ramet.json");
  const written = await readFile(file, "utf8");
  await writeFile(file, written.replace('"migrate"', '"data": "schema", "migrate"'));
  await stage.json(app, ["env", "create", "as-written"]);
  await stage.json(app, ["env", "create", "overruled", "--data", "all"]);
  await writeFile(file, written);
  expect([await count("as-written"), await count("overruled")]).toEqual([[["1000"]], [["10"]]]);
  const { exitCode, stdout } = await stage.ramet(app, [
    "env",
    "create",
    "x",
    "--data",
    "some",
    "--json",
  ]);
  expect([exitCode, JSON.parse(stdout)]).toMatchObject([
    2,
    { problem: { code: "flag_invalid", remedy: expect.stringContaining("all, schema or none") } },
  ]);
});

test("a branch that lacks what was applied is warned about, until a merge brings it", async () => {
  const branch = path.join(stage.folder, "branch");
  await stage.git(app, "worktree", "add", "-q", branch);
  const migration = "2-paid.sql";
  await writeFile(path.join(app, "migrations", migration), "alter table notes add paid boolean;");
  await stage.json(app, ["init"]);

  const made = await stage.json(branch, ["env", "create", "behind", "--use"]);
  const warning = {
    code: "migrations_missing",
    message: expect.stringContaining(migration),
    remedy: expect.stringContaining("--data none"),
  };
  expect(made).toMatchObject({ state: "awake", problems: [warning] });
  expect(await stage.json(branch, ["env", "show"])).toMatchObject({ problems: [warning] });
  expect((await stage.ramet(branch, ["env", "show"])).stdout).toContain(migration);

  await cp(path.join(app, "migrations", migration), path.join(branch, "migrations", migration));
  expect(await stage.json(branch, ["env", "show"])).toMatchObject({ problems: [] });
  await rm(path.join(app, "migrations", migration));
});
