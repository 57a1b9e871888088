import { readFile } from "node:fs/promises";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { exists } from "../../base/remove-inside.ts";
import { ENVIRONMENT } from "../fixtures/answers.ts";
import { answerWith, send } from "../fixtures/call-server.ts";
import { createWorld } from "../fixtures/world.ts";
import type { World } from "../fixtures/world.ts";

let world: World;

beforeEach(async () => {
  world = await createWorld();
});

afterEach(() => world.close());

test("run gives a command the environment's variables over the caller's, and passes its exit code on", async () => {
  await world.bind();
  await world.serve({ "environment.variables": { GIVEN: "theirs", DATABASE_URL: "postgres://x" } });
  const environment = { PATH: process.env["PATH"], GIVEN: "mine", KEPT: "kept" };
  const script = 'printf "%s %s %s" "$GIVEN" "$KEPT" "$DATABASE_URL" > seen; exit 7';
  expect(await world.ramet(["run", "--", "sh", "-c", script], { environment })).toMatchObject({
    exitCode: 7,
    out: "",
  });
  expect(await readFile(path.join(world.workspace, "seen"), "utf8")).toBe(
    "theirs kept postgres://x",
  );
  expect(await world.ramet(["run", "--", "sh", "-c", "kill -9 $$"], { environment })).toMatchObject(
    {
      exitCode: 137,
    },
  );
  expect(await world.ramet(["run", "--", "no-such-program"], { environment })).toMatchObject({
    exitCode: 2,
  });
});

test("db url prints the whole, and an environment without a database has none", async () => {
  await world.bind();
  await world.serve({ "environment.show": ENVIRONMENT });
  expect((await world.ramet(["db", "url"])).out).toBe(`${ENVIRONMENT.databaseUrl}\n`);
  await world.serve({ "environment.show": { ...ENVIRONMENT, databaseUrl: null } });
  expect(await world.json(["db", "url"])).toMatchObject({ problem: { code: "address_missing" } });
});

test("a query's rows are a table, its nulls and line breaks seen", async () => {
  await world.bind();
  const { calls } = await world.serve({
    "database.query": {
      columns: ["id", "note"],
      rows: [
        ["1", null],
        ["2", "a\nb\u001b[2J"],
      ],
      count: 2,
    },
  });
  const { out } = await world.ramet(["db", "query", "-"], { input: "select 1" });
  expect(out).toBe("id  note\n1   null\n2   a⏎b\n2 rows\n");
  expect(calls.at(-1)?.input).toMatchObject({ sql: "select 1" });
});

test("open prints the address where there is no screen, of a process too", async () => {
  await world.bind();
  await world.serve({ "environment.show": ENVIRONMENT });
  expect((await world.ramet(["open"])).out).toBe(`${ENVIRONMENT.url}\n`);
  expect(await world.json(["open", "--process", "web"])).toEqual({
    url: "http://web.shop--agent.localhost:7420",
    opened: false,
  });
  expect(await world.json(["open", "--process", "wb"])).toMatchObject({
    problem: { remedy: "Did you mean web?" },
  });
});

test("a server that does not run has a status, can be stopped, and is not started for either", async () => {
  const home = world.contextAt().home.folder;
  expect(await world.json(["server", "status"])).toEqual({
    running: false,
    pid: null,
    version: null,
    gatewayPort: null,
    databasePort: null,
    databaseSocket: null,
    listenArguments: null,
    home,
    startedAt: null,
  });
  expect(await world.json(["server", "stop"])).toEqual({ wasRunning: false, stopped: 0 });
  expect(await world.json(["server", "logs"])).toEqual([]);
  expect(await exists(home)).toBe(false);
});

test("a push says what was moved and where the rest is, and that a linked one has nothing to move", async () => {
  await world.bind();
  const transfer = {
    app: "shop",
    environment: "agent",
    files: ENVIRONMENT.files,
    changed: ["a"],
    displaced: "/trash",
  };
  await world.serve({
    "files.push": transfer,
    "files.pull": { ...transfer, files: { kind: "linked", path: "/w" }, changed: [] },
  });
  expect((await world.ramet(["push", "--force"])).out).toBe(
    "✓ 1 file pushed to shop/agent\n  What stood there before is kept: ramet trash restore trash\n",
  );
  expect((await world.ramet(["pull"])).out).toBe(
    "✓ shop/agent runs on /w: there is nothing to pull.\n",
  );
});

test.each([
  ["y\n", 0, [false, true]],
  ["\n", 3, [false]],
])(
  "a push that would overwrite something asks at a terminal; at the answer %j it ends with %i",
  async (answer, exitCode, forces) => {
    await world.bind();
    const refusal = { code: "sync_conflict", message: "a.txt is in the way.", remedy: "Force it." };
    const transfer = {
      app: "shop",
      environment: "agent",
      files: ENVIRONMENT.files,
      changed: ["a.txt"],
    };
    const { calls } = await world.serveWith(({ name, input }, response) => {
      const isForced = Object(input).force === true;
      if (name !== "files.push") answerWith({})({ name, input, headers: {} }, response);
      else
        send(
          response,
          isForced ? { result: { ...transfer, displaced: "/t" } } : { problem: refusal },
        );
    });
    const context = world.contextAt({ input: answer });
    const atTerminal = {
      stdin: { ...context.stdin, isTerminal: true },
      stderr: { ...context.stderr, isTerminal: true },
    };
    const ran = await world.ramet(["push"], { ...context, ...atTerminal });
    expect(ran.exitCode).toBe(exitCode);
    expect(context.err()).toContain("a.txt is in the way. What goes is kept");
    const pushes = calls.filter(({ name }) => name === "files.push");
    expect(pushes).toMatchObject(forces.map((force) => ({ input: { force } })));
  },
);

test("doctor's leftovers are a table, and what was cleared is said", async () => {
  const leftover = { kind: "process", id: "abcdefghijklmnop", path: null, pid: 12 };
  const { calls } = await world.serve({
    doctor: {
      capabilities: { reflink: true, psql: false, freeGigabytes: 12 },
      leftovers: [],
      fixed: [leftover],
    },
  });
  const { out } = await world.ramet(["doctor", "--fix"]);
  expect(out).toMatch(/^ *reflinks +yes\n *psql +no\n *free space +12 GB$/m);
  expect(out).toContain("✓ cleared");
  expect(out).toContain("process  abcdefghijklmnop  12");
  expect(calls[0]?.input).toEqual({ fix: true });
});
