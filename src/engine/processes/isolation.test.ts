import { mkdir, realpath, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import type { EnvironmentRecord } from "../../environment/environment.ts";
import type { Manifest } from "../../environment/manifest.ts";
import { parseAppName, parseEnvironmentName } from "../../environment/name.ts";
import { findManifest } from "../../manifest/manifest.ts";
import { describeIsolation } from "../../runtime/runtime.ts";
import type { Isolation } from "../../runtime/runtime.ts";
import type { EngineContext } from "../machine/context.ts";
import { contextOf, createFolder, layoutIn, removeFolder, STRANGER } from "../test-engine.ts";
import { chooseIsolation, rememberIsolation } from "./isolation.ts";
import { assignPorts, planCommandOverlay, planRuntime, planStep } from "./runtime-planning.ts";

const SEALED: Isolation = {
  kind: "isolated",
  tool: "bubblewrap",
  program: "/usr/bin/bwrap",
  hasFilter: true,
};
const BARE: Isolation = { ...SEALED, tool: "unshare", hasFilter: false };
const ALL_OWN = "files, processes, network, memory and names of its own, no powers";
const PORTS: Isolation = { kind: "ports", why: "bwrap is not installed", remedy: "Install it." };

let folder: string;
let tree: string;
beforeEach(async () => {
  folder = await createFolder();
  tree = path.join(folder, "tree");
  await mkdir(tree);
});
afterEach(async () => removeFolder(folder));

async function manifestOf(file: unknown): Promise<Manifest> {
  await writeFile(path.join(tree, "ramet.json"), JSON.stringify(file));
  const manifest = await findManifest(tree);
  if (manifest === undefined) throw new Error("It was just written.");
  return manifest;
}

function contextWith(isolation: Isolation): EngineContext {
  const inherited = {
    LANG: "C.UTF-8",
    HOME: "/home/ann",
    TMPDIR: "/scratch",
    npm_config_cache: "/c",
  };
  return { ...contextOf(layoutIn(folder)), inherited, isolation: async () => isolation };
}

function recordOf(changes: Partial<EnvironmentRecord> = {}): EnvironmentRecord {
  return {
    id: STRANGER,
    app: parseAppName("shop"),
    name: parseEnvironmentName("agent"),
    parent: null,
    createdAt: "2026-01-01T00:00:00.000Z",
    state: { kind: "asleep" },
    files: { kind: "linked", path: tree },
    database: {
      name: "shop",
      appPassword: "known",
      adminPassword: "hidden",
      postgres: { version: "18.4", bin: null },
    },
    ports: { web: 3000, api: 3001, $database: 5432 },
    searchPath: "/usr/bin",
    uid: null,
    data: "all",
    setupStamp: null,
    remaining: [],
    missingMigrations: [],
    generation: 1,
    replaced: null,
    ...changes,
  };
}

const APP = {
  processes: { web: { command: "a" }, api: { command: "b" }, jobs: { command: "c", port: false } },
};

test.each([
  [undefined, SEALED, `isolated (bubblewrap): ${ALL_OWN}, system calls filtered`],
  ["required", BARE, `isolated (unshare): ${ALL_OWN}, system calls not filtered`],
  ["off", SEALED, "ports: ramet.json switches isolation off"],
  [undefined, PORTS, "ports: bwrap is not installed"],
  ["auto", PORTS, "ports: bwrap is not installed"],
])("isolation %s where the machine gives %o is %s", async (isolation, given, described) => {
  const manifest = await manifestOf({ ...APP, isolation });
  expect(describeIsolation(await chooseIsolation(contextWith(given), recordOf(), manifest))).toBe(
    described,
  );
});

test("whether one can be sealed off is tried out once for each person, and once for all that environments have of their own", async () => {
  const tried: (number | null)[] = [];
  const answers = [PORTS, SEALED, SEALED, SEALED];
  const isolation = rememberIsolation(async (user) => {
    tried.push(user?.uid ?? null);
    return answers[tried.length - 1] ?? BARE;
  });
  const told: Isolation[] = [];
  for (const uid of [700_001, 700_002, 700_003, 1_000, 1_001, 1_000, 700_004])
    told.push(await isolation({ uid, gid: uid, name: `uid-${uid}`, home: "/" }));

  // What one could not be is no word on the next.
  expect(tried).toEqual([700_001, 700_002, 1_000, 1_001]);
  expect(told.map(({ kind }) => kind)).toEqual(["ports", ...Array<string>(6).fill("isolated")]);
});

test("what must be sealed off is not run where it cannot be, and it is said how it could", async () => {
  const manifest = await manifestOf({ ...APP, isolation: "required" });
  await expect(chooseIsolation(contextWith(PORTS), recordOf(), manifest)).rejects.toMatchObject({
    code: "isolation_missing",
    message: expect.stringContaining("bwrap is not installed"),
    remedy: "Install it.",
  });
});

test("in a network of its own each environment has the ports that its code names, else the usual ones", async () => {
  const context = contextWith(SEALED);
  const named = {
    ...APP.processes,
    web: { command: "a", port: 3001 },
    admin: { command: "d", port: 8080 },
  };
  expect(await assignPorts(context, recordOf(), await manifestOf(APP))).toEqual({
    web: 3000,
    api: 3001,
    $database: 5432,
  });
  expect(
    await assignPorts(context, recordOf(), await manifestOf({ processes: named, database: false })),
  ).toEqual({ web: 3001, api: 3000, admin: 8080 });
});

test("ports of a network of its own are not kept where the network is shared", async () => {
  const ports = await assignPorts(contextWith(PORTS), recordOf(), await manifestOf(APP));
  expect(Object.keys(ports).toSorted()).toEqual(["$database", "api", "web"]);
  for (const port of Object.values(ports)) expect(port).toBeGreaterThan(19_999);
});

test("a sealed process has its database at the usual port, its own home, and nothing that names a place outside", async () => {
  const context = contextWith(SEALED);
  const plan = await planRuntime(context, recordOf(), {
    manifest: await manifestOf(APP),
    isHeld: true,
  });
  const [web] = plan.processes;
  const home = context.layout.userHome(STRANGER);

  expect(web?.environment).toMatchObject({
    PORT: "3000",
    HOME: home,
    LANG: "C.UTF-8",
    DATABASE_URL: "postgresql://app:known@127.0.0.1:5432/shop",
  });
  for (const name of ["TMPDIR", "npm_config_cache"])
    expect(web?.environment).not.toHaveProperty(name);
  expect(plan.relays).toMatchObject([{ port: 5432, isHeld: true }]);
  expect(plan.inlets).toBe(context.layout.keeperSockets(STRANGER));
  expect(plan.addresses).toEqual({
    port: 7420,
    hosts: { "shop--agent.localhost": 3000, "api.shop--agent.localhost": 3001 },
  });
  expect(plan.wayOut).toEqual({
    socket: context.layout.wayOut,
    hosts: null,
    taken: [3000, 3001, 5432],
  });
  const seen = (web?.sandbox?.mounts ?? []).map(({ kind, to }) => `${kind} ${to}`);
  expect(seen).toContain(`write ${await realpath(tree)}`);
  expect(seen).toContain(`write ${home}`);
  expect(seen).toContain(`read ${tree}/.git`);
  expect(seen).toContain(`read ${tree}/.ramet`);
});

test("npm inside reads what the person's own settings say of registries, and the machine's as ever", async () => {
  const file = path.join(folder, "npmrc");
  await writeFile(file, "registry=https://npm.example.com/\n");
  const [known, unknown] = await Promise.all(
    [file, path.join(folder, "none")].map(async (npm_config_userconfig) => {
      const context = { ...contextWith(SEALED), inherited: { npm_config_userconfig } };
      const manifest = await manifestOf(APP);
      const { processes } = await planRuntime(context, recordOf(), { manifest, isHeld: false });
      return processes[0];
    }),
  );
  expect(known?.environment).toMatchObject({ npm_config_userconfig: "/etc/npmrc" });
  expect(known?.sandbox?.mounts.map(({ to }) => to)).toContain("/etc/npmrc");
  expect(unknown?.environment).not.toHaveProperty("npm_config_userconfig");
  for (const one of [known, unknown])
    expect(one?.environment).not.toHaveProperty("npm_config_globalconfig");
});

test("where processes are apart by ports alone nothing is planned for a network of its own", async () => {
  const plan = await planRuntime(contextWith(PORTS), recordOf(), {
    manifest: await manifestOf(APP),
    isHeld: false,
  });
  expect(plan).toMatchObject({ inlets: null, addresses: null, wayOut: null });
  expect(plan.processes.map(({ sandbox }) => sandbox)).toEqual([null, null, null]);
  expect(plan.processes[0]?.environment).toMatchObject({ HOME: "/home/ann", TMPDIR: "/scratch" });
});

test.each([
  ["none", null],
  ["open", { hosts: null }],
  [["API.Stripe.com"], { hosts: ["api.stripe.com"] }],
])("network %j leads out so far", async (network, wayOut) => {
  const plan = await planRuntime(contextWith(SEALED), recordOf(), {
    manifest: await manifestOf({ ...APP, network }),
    isHeld: false,
  });
  expect(plan.wayOut === null ? null : { hosts: plan.wayOut.hosts }).toEqual(wayOut);
});

test("a step runs as sealed as the processes do, with their database at hand", async () => {
  const manifest = await manifestOf(APP);
  const step = { name: "migrate", command: "npm run migrate", timeoutMs: 1_000 };
  const inside = await planStep(contextWith(SEALED), recordOf(), { manifest, step });
  expect(inside.sandbox).not.toBeNull();
  expect(inside.relays).toMatchObject([{ port: 5432, isHeld: false }]);
  expect(inside.environment["DATABASE_URL"]).toContain("@127.0.0.1:5432/");

  const outside = await planStep(contextWith(PORTS), recordOf(), { manifest, step });
  expect(outside).toMatchObject({ sandbox: null, relays: [], wayOut: null });
  expect(outside.environment["DATABASE_URL"]).toContain("@127.0.0.1:7421/");
});

test("a command in somebody's shell runs outside: its database is reached through the wire gateway", async () => {
  const variables = await planCommandOverlay(
    contextWith(SEALED),
    recordOf(),
    await manifestOf(APP),
  );
  expect(variables["DATABASE_URL"]).toBe(`postgresql://${STRANGER}:known@127.0.0.1:7421/shop`);
});
