/** An environment gets its parent's present rows again, and what it had is kept for a day. */
import { readdir, writeFile } from "node:fs/promises";
import path from "node:path";

import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";

import { exists } from "../../src/base/remove-inside.ts";
import { createdEnvironmentSchema } from "../../src/protocol/schemas.ts";
import type { CreatedEnvironment } from "../../src/protocol/schemas.ts";
import { openStage } from "./stage.ts";
import type { Stage } from "./stage.ts";

let stage: Stage;
let app: string;
/** Has a migration that its parent lacks. */
let branch: string;
let made: CreatedEnvironment;

beforeAll(async () => {
  stage = await openStage();
  app = await stage.copyApp("notes", ["pg"]);
  await stage.json(app, ["init"]);
  branch = path.join(stage.folder, "branch");
  await stage.git(app, "worktree", "add", "-q", branch);
  await writeFile(
    path.join(branch, "migrations", "2-paid.sql"),
    "alter table notes add paid boolean default true;",
  );
  made = await ask(branch, "env", "create", "agent", "--use");
});
afterAll(async () => stage.close());

async function ask(folder: string, ...argv: readonly string[]): Promise<CreatedEnvironment> {
  return createdEnvironmentSchema.parse(await stage.json(folder, argv));
}

async function query(environment: string, sql: string): Promise<unknown> {
  const result = await stage.json(app, ["db", "query", sql, "--env", environment]);
  return typeof result === "object" && result !== null && "rows" in result ? result.rows : result;
}

async function folders(): Promise<readonly string[]> {
  // As root, what other users must reach may lie elsewhere.
  const shared = path.join(stage.home, "shared");
  const home = (await exists(shared)) ? shared : stage.home;
  const names = await readdir(path.join(home, "data", made.id));
  return names.filter((name) => /^database(\.\d+)?$/.test(name)).toSorted();
}

const COUNT = "SELECT count(*), count(paid) FROM notes";

test("a reset brings the parent's present rows and this branch's migrations; addresses, password and variables stay", async () => {
  await stage.json(branch, ["var", "set", "COLOUR=blue"]);
  await query("agent", "DELETE FROM notes WHERE id > 5");
  await query("development", "DELETE FROM notes WHERE id > 50");
  const session = new pg.Client({ connectionString: made.databaseUrl ?? "" });
  const ended = new Promise<string>((resolve) =>
    session.on("error", ({ message }) => resolve(message)),
  );
  await session.connect();

  const { exitCode, stderr, stdout } = await stage.ramet(branch, [
    "env",
    "reset",
    "agent",
    "--force",
  ]);

  expect([exitCode, stderr]).toEqual([0, expect.stringMatching(/database: done[^]*migrate: done/)]);
  expect(stdout).toContain("notes/agent was reset from development, after");
  expect(await ended).toMatch(/terminat/);
  expect(await query("agent", COUNT)).toEqual([["50", "50"]]);
  const after = await stage.json(branch, ["env", "show"]);
  const { id, url, databaseUrl } = made;
  expect(after).toMatchObject({ id, url, databaseUrl, state: "awake", problems: [] });
  expect(await stage.json(branch, ["var", "get", "COLOUR"])).toMatchObject({ value: "blue" });
  expect(await stage.json(app, ["doctor"])).toMatchObject({ leftovers: [] });
});

test("what was there is had back, and what is there then is kept in its place", async () => {
  expect((await stage.ramet(branch, ["env", "show"])).stdout).toContain("env reset agent --undo");
  const undone = await ask(branch, "env", "reset", "agent", "--undo");
  expect(undone).toMatchObject({ state: "awake", databaseUrl: made.databaseUrl });
  expect(undone.replacedUntil).not.toBeNull();
  expect(await query("agent", COUNT)).toEqual([["5", "5"]]);
  await ask(branch, "env", "reset", "agent", "--undo");
  expect(await query("agent", COUNT)).toEqual([["50", "50"]]);
  expect(await folders()).toHaveLength(2);
});

test("a second reset keeps what it replaces, and lets go of what the first one kept", async () => {
  await query("agent", "DELETE FROM notes WHERE id > 3");
  await ask(branch, "env", "reset", "agent", "--force");
  expect(await folders()).toHaveLength(2);
  await ask(branch, "env", "reset", "agent", "--undo");
  expect(await query("agent", COUNT)).toEqual([["3", "3"]]);
});

test("a server that is started anew serves what a reset made, and gives back what it replaced", async () => {
  await stage.json(app, ["server", "stop"]);
  await stage.json(app, ["env", "start", "agent"]);
  expect(await query("agent", COUNT)).toEqual([["3", "3"]]);
  await ask(branch, "env", "reset", "agent", "--undo");
  expect(await query("agent", COUNT)).toEqual([["50", "50"]]);
});

test.each([
  [["env", "reset", "development", "--force"], "reset_source_missing", "--from"],
  [["env", "reset", "agent", "--from", "agent", "--force"], "reset_source_missing", "--from"],
  [["env", "reset", "agent", "--from", "nobody", "--force"], "environment_unknown", "env list"],
  [["env", "reset", "development", "--undo"], "nothing_replaced", "env show"],
  [["env", "reset", "agent"], "confirmation_needed", "--force"],
  [["env", "reset", "agent", "--undo", "--from", "development"], "flags_exclusive", ""],
])("%j is the problem %s", async (argv, code, remedy) => {
  const { exitCode, stdout } = await stage.ramet(app, [...argv, "--json"]);
  expect([exitCode, JSON.parse(stdout)]).toMatchObject([
    2,
    { problem: { code, remedy: expect.stringContaining(remedy) } },
  ]);
});

test("a parent that is gone is a problem, which --from answers", async () => {
  await stage.json(app, ["env", "create", "middle"]);
  await stage.json(app, ["env", "create", "child", "--from", "middle"]);
  await stage.json(app, ["env", "delete", "middle", "--force"]);
  const { stdout } = await stage.ramet(app, ["env", "reset", "child", "--force", "--json"]);
  expect(JSON.parse(stdout)).toMatchObject({
    problem: { code: "reset_source_missing", message: expect.stringContaining("middle") },
  });
  await ask(app, "env", "reset", "child", "--from", "development", "--force");
  expect(await query("child", "SELECT count(*) FROM notes")).toEqual([["50"]]);
  await stage.json(app, ["env", "delete", "child", "--force"]);
  expect(await stage.json(app, ["doctor"])).toMatchObject({ leftovers: [] });
});

test("a reset that fails leaves what was there, served as before", async () => {
  const source = path.join(branch, "ramet.json");
  await writeFile(
    source,
    JSON.stringify({
      app: "notes",
      processes: {},
      database: { mask: "mask.sql" },
    }),
  );
  await writeFile(path.join(branch, "mask.sql"), "UPDATE nothing SET n = 1");
  const { exitCode, stdout } = await stage.ramet(branch, [
    "env",
    "reset",
    "agent",
    "--force",
    "--json",
  ]);
  expect([exitCode, JSON.parse(stdout)]).toMatchObject([2, { problem: { code: "mask_failed" } }]);
  expect(await query("agent", COUNT)).toEqual([["50", "50"]]);
  expect(await stage.json(app, ["doctor"])).toMatchObject({ leftovers: [] });
});

test("several environments are forked at once, and one that cannot be keeps none from it", async () => {
  const { exitCode, stdout, stderr } = await stage.ramet(app, ["env", "fork", "a", "agent", "b"]);
  expect(exitCode).toBe(2);
  expect(stdout).toMatch(/notes\/a is ready[^]*agent: [^]*already has[^]*notes\/b is ready/);
  expect(stderr).toMatch(/a database: done/);
  const array = await stage.ramet(app, ["env", "fork", "c", "a", "--from", "b", "--json"]);
  expect([array.exitCode, JSON.parse(array.stdout)]).toMatchObject([
    2,
    [
      { name: "c", parent: "b", state: "awake" },
      { name: "a", problem: { code: "environment_exists" } },
    ],
  ]);
  const twice = await stage.ramet(app, ["env", "fork", "x", "x", "--json"]);
  expect(JSON.parse(twice.stdout)).toMatchObject({ problem: { code: "names_repeated" } });
  const none = await stage.ramet(app, ["env", "fork", "--json"]);
  expect(JSON.parse(none.stdout)).toMatchObject({ problem: { code: "argument_missing" } });
});
