import { mkdir } from "node:fs/promises";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { bindWorkspace, findWorkspace } from "../../workspace/workspace.ts";
import { CREATED, ENVIRONMENT } from "../fixtures/answers.ts";
import { send } from "../fixtures/call-server.ts";
import { createWorld } from "../fixtures/world.ts";
import type { World } from "../fixtures/world.ts";

let world: World;

beforeEach(async () => {
  world = await createWorld();
});

afterEach(() => world.close());

test("create --use links this world.workspace, binds it, and answers what the server does", async () => {
  const linked = { ...CREATED, files: { kind: "linked", path: world.workspace } };
  const { calls } = await world.serve({ "environment.create": linked });
  expect(await world.json(["env", "create", "Agent", "--use", "--app", "shop"])).toEqual(linked);
  expect(calls.map(({ input }) => input)).toEqual([
    {
      app: "shop",
      name: "agent",
      from: ["development", "development"],
      files: { kind: "linked", path: world.workspace },
      data: null,
      searchPath: "/usr/bin:/bin",
    },
  ]);
  expect((await findWorkspace(world.workspace)).binding).toEqual({
    app: "shop",
    environment: "agent",
    id: "abcdefghijklmnop",
    home: world.contextAt().home.folder,
  });
});

test("create without --use keeps files with the server, and binds nothing", async () => {
  const { calls } = await world.serve({ "environment.create": CREATED });
  const { out, exitCode } = await world.ramet([
    "env",
    "create",
    "agent",
    "--app",
    "shop",
    "--from",
    "staging",
  ]);
  expect(exitCode).toBe(0);
  expect(out).toContain("✓ shop/agent is ready after 4 ms\n  http://shop--agent.localhost:7420");
  expect(calls[0]?.input).toMatchObject({ from: ["staging"], files: { kind: "kept" } });
  expect((await findWorkspace(world.workspace)).binding).toBeNull();
});

test("an environment that was made and is broken is shown, and is no success", async () => {
  const problem = { code: "setup_failed", message: "`npm ci` failed.", remedy: "Mend it." };
  await world.serve({ "environment.create": { ...CREATED, state: "broken", problems: [problem] } });
  const { exitCode, out } = await world.ramet(["env", "create", "agent", "--app", "shop"]);
  expect(exitCode).toBe(2);
  expect(out).toContain("✗ `npm ci` failed.");
});

test("use binds a kept environment, and refuses one that runs on another folder", async () => {
  await world.serve({ "environment.show": ENVIRONMENT });
  expect(await world.json(["env", "use", "agent", "--app", "shop"])).toEqual(ENVIRONMENT);
  expect((await findWorkspace(world.workspace)).binding).toMatchObject({ environment: "agent" });
  await world.serve({
    "environment.show": {
      ...ENVIRONMENT,
      name: "other",
      files: { kind: "linked", path: world.folder },
    },
  });
  expect(await world.json(["env", "use", "other", "--app", "shop"])).toMatchObject({
    problem: {
      code: "environment_of_other_folder",
      message: expect.stringContaining(world.folder),
    },
  });
  expect((await findWorkspace(world.workspace)).binding).toMatchObject({ environment: "agent" });
});

test("delete unbinds this world.workspace and the folder it was linked to, and no other binding", async () => {
  await world.bind();
  const other = path.join(world.folder, "other");
  await mkdir(other);
  const home = world.contextAt().home.folder;
  await bindWorkspace(other, { app: "shop", environment: "else", id: "abcdefghijklmnop", home });
  await world.serve({ "environment.delete": { app: "shop", name: "agent", folder: other } });
  expect((await world.ramet(["env", "delete", "agent", "--force"])).exitCode).toBe(0);
  expect((await findWorkspace(world.workspace)).binding).toBeNull();
  expect((await findWorkspace(other)).binding).toMatchObject({ environment: "else" });
});

test("a binding of another server's environment of that name stays", async () => {
  await bindWorkspace(world.workspace, {
    app: "shop",
    environment: "agent",
    id: "abcdefghijklmnop",
    home: "/elsewhere",
  });
  await world.serve({ "environment.delete": { app: "shop", name: "agent", folder: "/gone" } });
  expect((await world.ramet(["env", "delete", "agent", "--force", "--app", "shop"])).exitCode).toBe(
    0,
  );
  expect((await findWorkspace(world.workspace)).binding).toMatchObject({ home: "/elsewhere" });
});

test("a delete without --force, where nobody can be asked, names the flag and what would be lost", async () => {
  await world.bind();
  const { calls } = await world.serve({
    "environment.show": ENVIRONMENT,
    "environment.delete": {},
  });
  const { exitCode, err } = await world.ramet(["env", "delete", "agent"]);
  expect(exitCode).toBe(2);
  expect(err).toContain("its database with all rows");
  expect(err).toContain("--force");
  expect(calls.map(({ name }) => name)).toEqual(["environment.show"]);
});

test("a list without any sign of an app is of all", async () => {
  const { calls } = await world.serve({
    "app.list": [
      { name: "a", environments: [], createdAt: "" },
      { name: "b", environments: [], createdAt: "" },
    ],
    "app.find": { app: null, environment: null },
    "environment.list": [ENVIRONMENT],
  });
  expect(await world.json(["env", "list"])).toEqual([ENVIRONMENT]);
  expect(calls.at(-1)).toMatchObject({ name: "environment.list", input: { app: null } });
});

test("a binding to what is gone is told as that", async () => {
  await world.bind();
  const problem = { code: "environment_unknown", message: "No.", remedy: "No." };
  await world.serveWith((_call, response) => send(response, { problem }));
  expect(await world.json(["env", "show"])).toMatchObject({ problem: { code: "binding_stale" } });
  expect(await world.json(["env", "show", "other"])).toMatchObject({
    problem: { code: "environment_unknown" },
  });
});

test("a binding to an environment whose name another has now is told as that, and nothing is done to the other", async () => {
  await world.bind();
  const { calls } = await world.serve({
    "environment.show": { ...ENVIRONMENT, id: "ponmlkjihgfedcba" },
    "database.query": { columns: [], rows: [], count: null },
  });
  expect(await world.json(["db", "query", "drop table notes"])).toMatchObject({
    problem: { code: "binding_stale", message: expect.stringContaining("shop/agent") },
  });
  expect(calls.map(({ name }) => name)).toEqual(["environment.show"]);
  await world.json(["db", "query", "select 1", "--env", "agent"]);
  expect(calls.at(-1)).toMatchObject({ name: "database.query" });
});

test("progress is told in plain lines without a terminal, and not at all where it was not wanted", async () => {
  const progress = { part: "database", state: "done", ms: 143, detail: "reflink" };
  await world.serveWith((_call, response) => send(response, { progress }, { result: CREATED }));
  const argv = ["env", "create", "agent", "--app", "shop"];
  expect((await world.ramet(argv)).err).toBe("database: done after 143 ms (reflink)\n");
  expect((await world.ramet([...argv, "--quiet"])).err).toBe("");
  expect((await world.ramet([...argv, "--json"])).err).toBe("");
});
