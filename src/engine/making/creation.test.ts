import { readFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { parseEnvironmentName } from "../../environment/name.ts";
import type { LiveEnvironment } from "../live/live-environment.ts";
import { patiently, runs, TestEngine } from "../test-engine.ts";

let stage: TestEngine;
let source: LiveEnvironment;

beforeAll(async () => {
  stage = await TestEngine.open();
  source = await stage.createApp("shop", {
    processes: { web: { command: runs("serves.mjs") } },
    database: false,
  });
});
afterAll(async () => stage.close());

async function forkOnto(folder: string, name: string): Promise<LiveEnvironment> {
  const { app, searchPath } = source.record;
  const files = { kind: "linked", path: folder } as const;
  const request = { app, name: parseEnvironmentName(name), source, files, searchPath };
  await stage.engine.create(request, patiently());
  return stage.engine.registry.require(app, name);
}

test("forks begun at one moment each have a user of their own, and all come to be", async () => {
  const { app, searchPath } = source.record;
  const names = ["one", "two", "three", "four"].map((name) => parseEnvironmentName(name));
  const forks = names.map(async (name) => {
    const request = { app, name, source, files: { kind: "kept" } as const, searchPath };
    return stage.engine.create(request, patiently());
  });
  const twice = stage.engine.create(
    { app, name: parseEnvironmentName("four"), source, files: { kind: "kept" }, searchPath },
    patiently(),
  );

  await expect(twice).rejects.toMatchObject({ code: "environment_exists" });
  await Promise.all(forks);
  const records = names.map((name) => stage.engine.registry.require(app, name).record);
  const uids = records.map(({ uid }) => uid);
  expect(new Set(uids).size).toBe(process.getuid?.() === 0 ? names.length : 1);
});

test.each([
  ["of which nobody could say how it runs", { "package.json": { scripts: { build: "tsc" } } }],
  ["that runs otherwise", { "package.json": { scripts: { dev: "vite" } } }],
])("a folder without a ramet.json, %s, runs as its source's says", async (what, files) => {
  const name = `fork-${what.length}`;
  const folder = await stage.writeApp(name, files);
  const fork = await forkOnto(folder, name);

  expect(fork.processes()).toMatchObject([{ name: "web", state: "ready", problem: null }]);
  const brought = await readFile(path.join(folder, "ramet.json"), "utf8");
  expect(brought).toBe(await readFile(path.join(source.record.files.path, "ramet.json"), "utf8"));
});

test("a folder's own ramet.json goes before its source's", async () => {
  const own = { processes: { jobs: { command: runs("serves.mjs"), port: false } } };
  const folder = await stage.writeApp("own", { "ramet.json": { ...own, database: false } });
  const fork = await forkOnto(folder, "own");

  expect(fork.processes()).toMatchObject([{ name: "jobs" }]);
});
