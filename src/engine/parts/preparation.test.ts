import { cp, mkdir, utimes, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { git } from "../../../test/git.ts";
import type { EnvironmentRecord, FilesRecord, ForkData } from "../../environment/environment.ts";
import type { Manifest } from "../../environment/manifest.ts";
import { TestEngine } from "../test-engine.ts";
import { findDueSetup } from "./installed.ts";
import { listChangeSteps, listFirstSteps, listForkSteps } from "./preparation.ts";

let stage: TestEngine;
/** Of an app that was set up in the tree `source`. */
let record: EnvironmentRecord;
let manifest: Manifest;
let source: string;
let same: string;
let edited: string;
let relocked: string;

/** The trees are made once and only looked at by the tests. */
beforeAll(async () => {
  stage = await TestEngine.open();
  source = await stage.writeApp("shop", { "package-lock.json": {} });
  const written = { setup: "echo setting up", processes: {}, database: false };
  const development = await stage.createApp("shop", written);
  ({ record } = development);
  const database = { migrate: "migrate", seed: "seed", mask: null };
  manifest = { ...(await development.manifest()), database };
  await git(source, "init", "-q", "-b", "main");
  await git(source, "add", "-A");
  await git(source, "commit", "-qm", "The app");
  [same, edited, relocked] = await Promise.all([clone("same"), clone("edited"), clone("relocked")]);
  await writeFile(path.join(edited, "migration.sql"), "select 1");
  await writeFile(path.join(relocked, "package-lock.json"), '{"new":1}');
});
afterAll(async () => stage.close());

async function clone(name: string): Promise<string> {
  const at = path.join(stage.folder, name);
  await git(source, "clone", "-q", ".", at);
  return at;
}

async function forkSteps(
  files: FilesRecord,
  of: Manifest = manifest,
  data: ForkData = "all",
): Promise<readonly string[]> {
  return listForkSteps(record, { files, data }, of);
}

test("an app's first environment needs all that its manifest names, in this order", async () => {
  expect(await listFirstSteps(source, manifest)).toEqual(["setup", "migrate", "seed"]);
  expect(await listFirstSteps(source, { ...manifest, setup: null })).toEqual(["migrate", "seed"]);
  expect(await listFirstSteps(source, { ...manifest, database: null })).toEqual(["setup"]);
});

async function install(folder: string): Promise<void> {
  await mkdir(path.join(folder, "node_modules"), { recursive: true });
  await writeFile(path.join(folder, "node_modules", ".package-lock.json"), "{}");
}

test("an install is left out where packages were installed since the lock file changed", async () => {
  const installed = await stage.writeApp("installed", { "package-lock.json": "{}" });
  const steps = async (): Promise<readonly string[]> =>
    listFirstSteps(installed, { ...manifest, setup: "npm ci --no-audit", database: null });

  expect(await steps()).toEqual(["setup"]);
  await install(installed);
  expect(await steps()).toEqual([]);
  const later = new Date(Date.now() + 60_000);
  await utimes(path.join(installed, "package-lock.json"), later, later);
  expect(await steps()).toEqual(["setup"]);
});

test.each([
  ["npm ci", null],
  ["npm ci --no-audit && npx prisma generate", "npx prisma generate"],
  ["pnpm install --frozen-lockfile", null],
  ["yarn && yarn build", "yarn build"],
  ["npm ci --prefix web", "npm ci --prefix web"],
  ["npm install left-pad", "npm install left-pad"],
  ["make setup", "make setup"],
  ["bundle install", "bundle install"],
])("where packages are installed, of %j is due %j", async (setup, due) => {
  const installed = await stage.writeApp("installed-too", {});
  await install(installed);
  expect(await findDueSetup(installed, setup)).toBe(due);
});

test("a fork of the very same tree needs nothing: packages and rows come along", async () => {
  expect(await forkSteps({ kind: "linked", path: same })).toEqual([]);
});

test("a fork whose files may differ runs its migrations, and never a seed", async () => {
  expect(await forkSteps({ kind: "linked", path: edited })).toEqual(["migrate"]);
});

test.each(["schema", "none"] as const)(
  "a fork with the data %j runs migrations and seed, whatever its files",
  async (data) => {
    for (const files of [
      { kind: "linked", path: same },
      { kind: "kept", path: path.join(stage.folder, "not-there-yet") },
    ] as const)
      expect(await forkSteps(files, manifest, data)).toEqual(["migrate", "seed"]);
  },
);

test("a fork whose lock file differs is set up anew", async () => {
  expect(await forkSteps({ kind: "linked", path: relocked })).toEqual(["setup", "migrate"]);
});

test("a fork with another setup command is set up anew", async () => {
  const files = { kind: "linked", path: same } as const;
  expect(await forkSteps(files, { ...manifest, setup: "echo another" })).toEqual(["setup"]);
});

test("a kept fork is filled from its source's tree and needs nothing", async () => {
  expect(await forkSteps({ kind: "kept", path: path.join(stage.folder, "not-there-yet") })).toEqual(
    [],
  );
});

test("a source without git may differ in anything: its forks migrate", async () => {
  const plain = path.join(stage.folder, "plain");
  await mkdir(plain);
  await cp(path.join(source, "package-lock.json"), path.join(plain, "package-lock.json"));
  expect(await forkSteps({ kind: "linked", path: plain })).toEqual(["migrate"]);
});

test("a source that was never set up has a fork that is", async () => {
  const files = { kind: "linked", path: same } as const;
  const made = { files, data: "all" } as const;
  expect(await listForkSteps({ ...record, setupStamp: null }, made, manifest)).toEqual(["setup"]);
});

test("files that were replaced are migrated, and set up where the lock file is another", async () => {
  const unchanged = { ...record, files: { kind: "kept", path: same } } as const;
  expect(await listChangeSteps(unchanged, manifest)).toEqual(["migrate"]);
  const changed = { ...record, files: { kind: "kept", path: relocked } } as const;
  expect(await listChangeSteps(changed, manifest)).toEqual(["setup", "migrate"]);
});
