import { mkdir, writeFile } from "node:fs/promises";
import { availableParallelism, totalmem } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import type { EnvironmentRecord } from "../environment/environment.ts";
import { parseAppName, parseEnvironmentName } from "../environment/name.ts";
import { environmentSchema } from "../protocol/schemas.ts";
import { LiveEnvironment } from "./live/live-environment.ts";
import {
  contextOf,
  createFolder,
  layoutIn,
  LISTENERS,
  removeFolder,
  STRANGER,
} from "./test-engine.ts";
import { describeDraft, describeEnvironment } from "./view.ts";

const problem = { code: "setup_failed", message: "It failed.", remedy: "Mend it." };
const alone = {
  gatewayPort: LISTENERS.gatewayPort,
  others: [],
  ownBytes: 3_400_000,
  standbys: [],
  fronts: [],
  frontProblems: [],
  domain: null,
};

let folder: string;
let tree: string;
beforeEach(async () => {
  folder = await createFolder();
  tree = path.join(folder, "tree");
  await mkdir(tree);
  await writeManifest({
    processes: { jobs: { command: "x", port: false }, web: { command: "x" } },
  });
});
afterEach(async () => removeFolder(folder));

async function writeManifest(manifest: unknown): Promise<void> {
  await writeFile(path.join(tree, "ramet.json"), JSON.stringify(manifest));
}

function liveOf(changes: Partial<EnvironmentRecord> = {}): LiveEnvironment {
  return new LiveEnvironment(contextOf(layoutIn(folder)), {
    id: STRANGER,
    app: parseAppName("shop"),
    name: parseEnvironmentName("agent"),
    parent: parseEnvironmentName("development"),
    createdAt: "2026-01-01T00:00:00.000Z",
    state: { kind: "asleep" },
    files: { kind: "linked", path: tree },
    database: {
      name: "shop",
      appPassword: "known",
      adminPassword: "hidden",
      postgres: { version: "18.4", bin: null },
    },
    ports: { web: 20_001, $database: 20_002 },
    searchPath: "/usr/bin",
    uid: null,
    setupStamp: null,
    data: "all",
    missingMigrations: [],
    generation: 1,
    replaced: null,
    remaining: [],
    ...changes,
  });
}

test("an environment is shown with all that a program needs to use it, and no more", async () => {
  const shown = await describeEnvironment(liveOf(), alone);

  expect(shown).toEqual({
    id: STRANGER,
    app: "shop",
    name: "agent",
    state: "asleep",
    parent: "development",
    url: "http://shop--agent.localhost:7420",
    domainUrl: null,
    databaseUrl: `postgresql://${STRANGER}:known@127.0.0.1:7421/shop`,
    fronts: [],
    files: { kind: "linked", path: tree },
    processes: [
      { name: "jobs", state: "stopped", port: null, pid: null },
      { name: "web", state: "stopped", port: 20_001, pid: null },
    ],
    isolation: "ports: a test",
    limits: {
      memoryBytes: Math.floor(totalmem() / 2),
      cpus: availableParallelism(),
      processes: 4096,
      diskBytes: null,
      heldBy: expect.stringContaining("memory, processes and disk by a look every second"),
      pressure: null,
    },
    problems: [],
    ownBytes: 3_400_000,
    standbys: [],
    createdAt: "2026-01-01T00:00:00.000Z",
    usedAt: "2026-01-01T00:00:00.000Z",
    sleepsAt: null,
    replacedUntil: null,
  });
  expect(environmentSchema.parse(shown)).toEqual(shown);
});

test("the superuser's password is never shown", async () => {
  const live = liveOf();
  const shown = [await describeEnvironment(live, alone), describeDraft(live.record)];
  expect(JSON.stringify(shown)).not.toContain("hidden");
});

test("addresses are the same, whether it is awake or not", async () => {
  const asleep = await describeEnvironment(liveOf(), alone);
  const broken = await describeEnvironment(liveOf({ state: { kind: "broken", problem } }), alone);
  expect({ url: broken.url, databaseUrl: broken.databaseUrl }).toEqual({
    url: asleep.url,
    databaseUrl: asleep.databaseUrl,
  });
});

test("below a domain of the user's own it is shown at a name there too", async () => {
  const shown = await describeEnvironment(liveOf(), { ...alone, domain: "dev.example.com" });
  expect(shown.domainUrl).toBe("https://shop--agent.dev.example.com");
});

test("while it is being made there is no address yet", async () => {
  const live = liveOf({ state: { kind: "preparing" } });
  const nothing = { state: "creating", url: null, databaseUrl: null };
  expect(await describeEnvironment(live, alone)).toMatchObject(nothing);
  expect(describeDraft(live.record)).toMatchObject({ ...nothing, processes: [], problems: [] });
  expect(environmentSchema.safeParse(describeDraft(live.record)).success).toBe(true);
});

test("a broken one says why", async () => {
  const live = liveOf({ state: { kind: "broken", problem } });
  expect(await describeEnvironment(live, alone)).toMatchObject({
    state: "broken",
    problems: [problem],
  });
});

test("one without a process that has a port has no URL, one without a database no address of one", async () => {
  await writeManifest({ processes: { jobs: { command: "x", port: false } }, database: false });
  expect(await describeEnvironment(liveOf({ database: null }), alone)).toMatchObject({
    url: null,
    databaseUrl: null,
  });
});

test.each([
  ["cannot be read", async () => writeFile(path.join(tree, "ramet.json"), "{")],
  ["lies in a folder that has gone", async () => removeFolder(tree)],
])("one whose manifest %s is listed all the same", async (_, damage) => {
  await damage();
  expect(await describeEnvironment(liveOf(), alone)).toMatchObject({
    name: "agent",
    state: "asleep",
    url: null,
  });
});

test("environments that share a folder say so, and with whom", async () => {
  const shown = await describeEnvironment(liveOf(), { ...alone, others: ["development", "two"] });
  expect(shown.problems).toMatchObject([
    { code: "files_shared", message: expect.stringContaining("development, two") },
  ]);
});

test("what several processes lack is said once", async () => {
  const broken = liveOf({ state: { kind: "broken", problem } });
  const both = { problems: () => [problem, problem, { ...problem, message: "Another." }] };
  const doubled = Object.assign(broken, both);
  expect((await describeEnvironment(doubled, alone)).problems).toHaveLength(2);
});
