import { expect, test } from "vitest";

import { isEnvironmentId } from "../../environment/environment.ts";
import type { EnvironmentRecord } from "../../environment/environment.ts";
import { DEFAULT_GRANTS, NO_LIMITS } from "../../environment/manifest.ts";
import type { Manifest, ProcessManifest, VariableManifest } from "../../environment/manifest.ts";
import { parseAppName, parseEnvironmentName } from "../../environment/name.ts";
import { findMainProcess, planCommandVariables, planProcesses } from "./process-plans.ts";
import type { PlanInput } from "./process-plans.ts";

const id = "abcdefghijklmnop";
if (!isEnvironmentId(id)) throw new Error("The fixture's id is none.");

const record: EnvironmentRecord = {
  id,
  app: parseAppName("shop"),
  name: parseEnvironmentName("agent"),
  parent: null,
  createdAt: "2026-01-01T00:00:00.000Z",
  state: { kind: "awake" },
  files: { kind: "linked", path: "/home/ann/shop" },
  database: null,
  ports: { web: 4001, api: 4002 },
  searchPath: "/usr/bin",
  uid: null,
  setupStamp: null,
  data: "all",
  missingMigrations: [],
  generation: 1,
  replaced: null,
  remaining: [],
};

const web: ProcessManifest = {
  command: "vite",
  port: true,
  ownPort: null,
  ready: { kind: "none" },
  folder: ".",
  reloads: true,
};

const BOUNDS = { openFiles: 1000, processes: null, fileBytes: null };

function input(
  changes: Partial<PlanInput> & { readonly asked?: Record<string, VariableManifest> } = {},
): PlanInput {
  const manifest: Manifest = {
    app: null,
    setup: null,
    processes: {
      jobs: { ...web, port: false, command: "worker" },
      web,
      api: { ...web, folder: "server" },
    },
    grants: DEFAULT_GRANTS,
    database: null,
    variables: changes.asked ?? {},
    files: { clone: [] },
    sleepMs: null,
    isolation: "auto",
    network: "open",
    limits: NO_LIMITS,
    unused: [],
    source: "ramet.json",
  };
  return {
    record,
    manifest,
    variables: {},
    listeners: { gatewayPort: 7420, databasePort: 7421 },
    databaseUrl: "postgres://app:secret@127.0.0.1:4003/shop",
    user: null,
    inherited: { LANG: "C.UTF-8", HOME: "/home/ann" },
    compileCache: "/home/ann/.ramet/data/x/home/compile-cache",
    ownPortPreload: "/opt/ramet/own-port.cjs",
    sandbox: null,
    bounds: BOUNDS,
    ...changes,
  };
}

function environmentOf(plan: PlanInput, name: string): Readonly<Record<string, string>> {
  return planProcesses(plan).find((process) => process.name === name)?.environment ?? {};
}

test("the environment's own address leads to the first process that has a port", () => {
  expect(findMainProcess(input().manifest)).toBe("web");
});

test("every process gets its port, its address, the database's and where the others are", () => {
  expect(environmentOf(input(), "web")).toMatchObject({
    PORT: "4001",
    HOST: "127.0.0.1",
    URL: "http://shop--agent.localhost:7420",
    RAMET_URL: "http://shop--agent.localhost:7420",
    RAMET_APP: "shop",
    RAMET_ENV: "agent",
    RAMET_SERVICE_API_URL: "http://api.shop--agent.localhost:7420",
    RAMET_SERVICE_API_PORT: "4002",
    RAMET_URL_API: "http://api.shop--agent.localhost:7420",
    DATABASE_URL: "postgres://app:secret@127.0.0.1:4003/shop",
  });
  expect(environmentOf(input(), "api")).toMatchObject({
    PORT: "4002",
    URL: "http://api.shop--agent.localhost:7420",
  });
});

test("a process without a port gets none", () => {
  const plan = planProcesses(input()).find(({ name }) => name === "jobs");
  expect(plan?.port).toBeNull();
  expect(plan?.environment).not.toHaveProperty("PORT");
});

test("commands find the tree's own programs first, then those of the shell that made the environment", () => {
  const below = ["node_modules/.bin", ".venv/bin", "venv/bin"];
  const tree = below.map((folder) => `/home/ann/shop/${folder}`);
  expect(environmentOf(input(), "web")["PATH"]).toBe([...tree, "/usr/bin"].join(":"));
});

test("a process whose code names its port is moved to the assigned one, one that listens nowhere is not", () => {
  const manifest = input().manifest;
  const processes = {
    web: { ...web, ownPort: 3000 },
    api: web,
    jobs: { ...web, port: false, ownPort: 3000 },
  };
  const plan = input({
    manifest: { ...manifest, processes },
    variables: { NODE_OPTIONS: "--inspect" },
  });

  expect(environmentOf(plan, "web")).toMatchObject({
    RAMET_OWN_PORT: "3000:4001",
    NODE_OPTIONS: '--inspect --require "/opt/ramet/own-port.cjs"',
    PORT: "4001",
  });
  for (const name of ["api", "jobs"]) {
    expect(environmentOf(plan, name)["NODE_OPTIONS"]).toBe("--inspect");
    expect(environmentOf(plan, name)).not.toHaveProperty("RAMET_OWN_PORT");
  }
});

test("a process runs in its own folder of the tree", () => {
  expect(planProcesses(input()).map(({ folder }) => folder)).toEqual([
    "/home/ann/shop",
    "/home/ann/shop",
    "/home/ann/shop/server",
  ]);
});

test("a variable that was set goes before the manifest's, and neither replaces what Ramet assigns", () => {
  const asked = { PUBLIC_URL: value("$URL/shop"), MODE: value("plain"), PORT: value("1") };
  const environment = environmentOf(
    input({ asked, variables: { MODE: "set", RAMET_ENV: "other" } }),
    "web",
  );

  expect(environment).toMatchObject({
    PUBLIC_URL: "http://shop--agent.localhost:7420/shop",
    MODE: "set",
    PORT: "4001",
    RAMET_ENV: "agent",
  });
});

test("an app that reads its database's address in pieces gets each of them", () => {
  const pieces = ["HOST", "PORT", "USER", "PASSWORD", "NAME"];
  const asked = Object.fromEntries(pieces.map((name) => [`PG${name}`, value(`$DATABASE_${name}`)]));
  const databaseUrl = "postgres://app:a%40b@127.0.0.1:4003/shop";
  const environment = environmentOf(input({ asked, databaseUrl }), "web");

  expect(pieces.map((name) => environment[`PG${name}`])).toEqual([
    "127.0.0.1",
    "4003",
    "app",
    "a@b",
    "shop",
  ]);
  expect(environment).not.toHaveProperty("DATABASE_HOST");
});

test.each([
  ["$HOST:$PORT", "127.0.0.1:4001"],
  ["${RAMET_ENV}-x", "agent-x"],
  ["$NOWHERE!", "!"],
  ["100$", "100$"],
  ["a$$b", "a$"],
])("a manifest's value %j becomes %j", (text, expected) => {
  expect(environmentOf(input({ asked: { VALUE: value(text) } }), "web")["VALUE"]).toBe(expected);
});

test("a process that lacks a required variable waits, and is told which", () => {
  const asked = { STRIPE_KEY: { value: null, secret: true, required: true } };

  for (const plan of planProcesses(input({ asked }))) {
    expect(plan.problem).toMatchObject({
      code: "variable_missing",
      message: expect.stringContaining("STRIPE_KEY"),
    });
  }
  for (const plan of planProcesses(input({ asked, variables: { STRIPE_KEY: "sk" } })))
    expect(plan.problem).toBeNull();
});

test("a command in somebody's shell gets the variables and not the server's own environment", () => {
  const variables = planCommandVariables(input({ variables: { MODE: "set" } }));
  expect(variables).toMatchObject({ MODE: "set", RAMET_ENV: "agent" });
  for (const name of ["HOME", "LANG", "PATH", "PORT"]) expect(variables).not.toHaveProperty(name);
});

test("an environment's own user is named to its processes", () => {
  const user = {
    uid: 700_001,
    gid: 700_001,
    home: "/var/lib/ramet/data/x/home",
    name: "ramet-700001",
  };
  expect(environmentOf(input({ user }), "web")).toMatchObject({ HOME: user.home, USER: user.name });
});

function value(text: string): VariableManifest {
  return { value: text, secret: false, required: false };
}
