import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { parseAppName, parseEnvironmentName } from "../../environment/name.ts";
import { patiently, TestEngine, until } from "../test-engine.ts";
import { type Installing, Installs } from "./installs.ts";

/** Tells how many came. */
class CountedInstalls extends Installs {
  count = 0;

  override once(installing: Installing): ReturnType<Installs["once"]> {
    this.count += 1;
    return super.once(installing);
  }
}

/** Stands in for npm: notes what it was told, waits while a file says so, and leaves a package that says whose it is. */
const NPM = `#!/bin/sh
tools=$(dirname "$0")
echo "$(basename "$PWD"): $*" >> "$tools/runs"
[ "$1" = ci ] || exit 0
while [ -e "$tools/held" ]; do sleep 0.05; done
if [ -e "$tools/fails" ]; then rm "$tools/fails"; exit 1; fi
mkdir -p node_modules/left && basename "$PWD" > node_modules/left/made
`;
const MANIFEST = { setup: "npm ci && npm run generate", processes: {}, database: false };

const installs = new CountedInstalls();
let stage: TestEngine;
let tools: string;
let searchPath: string;

beforeAll(async () => {
  stage = await TestEngine.open(undefined, { installs });
  tools = path.join(stage.folder, "tools");
  await mkdir(tools);
  await writeFile(path.join(tools, "npm"), NPM, { mode: 0o755 });
  searchPath = `${tools}:/usr/bin:/bin`;
  const folder = await write("shop", "old");
  const app = { name: parseAppName("shop"), folder, searchPath, postgresBin: null };
  await stage.engine.createApp(app, patiently());
});
afterAll(async () => stage.close());
beforeEach(async () => rm(path.join(tools, "runs"), { force: true }));

async function write(name: string, lock: string, scripts: object = {}): Promise<string> {
  return stage.writeApp(name, {
    "ramet.json": MANIFEST,
    "package.json": { name: "shop", scripts },
    "package-lock.json": { lock },
  });
}

/** Makes them side by side; the first install goes on only when all want theirs. */
async function forkAll(names: readonly string[], lock: string, scripts?: object): Promise<void> {
  const source = stage.engine.registry.require("shop", "development");
  const before = installs.count;
  await writeFile(path.join(tools, "held"), "");
  const making = names.map(async (name) => {
    const files = { kind: "linked", path: await write(name, lock, scripts) } as const;
    const named = { app: source.record.app, name: parseEnvironmentName(name) };
    await stage.engine.create({ ...named, source, files, searchPath }, patiently());
  });
  const made = Promise.allSettled(making);
  await until(() => (installs.count === before + names.length ? true : undefined));
  await rm(path.join(tools, "held"));
  await made;
}

async function readRuns(): Promise<readonly string[]> {
  const text = await readFile(path.join(tools, "runs"), "utf8");
  return text.trim().split("\n").toSorted();
}

async function readMade(name: string): Promise<string> {
  return readFile(path.join(stage.folder, name, "node_modules", "left", "made"), "utf8");
}

test("two environments with the same new lock file install once, and what follows is each one's own", async () => {
  await forkAll(["one", "two"], "new", { postinstall: "mend" });
  const runs = await readRuns();
  const [first = "", other = ""] = runs[0] === "one: ci" ? ["one", "two"] : ["two", "one"];
  expect(runs).toEqual(
    [
      `${first}: ci`,
      `${first}: run generate`,
      `${other}: run generate`,
      `${other}: run postinstall`,
    ].toSorted(),
  );
  expect([await readMade(first), await readMade(other)]).toEqual([`${first}\n`, `${first}\n`]);
  await writeFile(path.join(stage.folder, other, "node_modules", "left", "made"), "changed");
  expect(await readMade(first)).toBe(`${first}\n`);
});

test("where the first install fails, one of those who waited installs", async () => {
  await writeFile(path.join(tools, "fails"), "");
  await forkAll(["three", "four"], "newer");
  const runs = await readRuns();
  expect(runs.filter((run) => run.endsWith(": ci"))).toEqual(["four: ci", "three: ci"]);
  const states = ["three", "four"].map(
    (name) => stage.engine.registry.require("shop", name).record.state.kind,
  );
  expect(states.toSorted()).toEqual(["awake", "broken"]);
});

test("other packages are installed side by side", async () => {
  const order: string[] = [];
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  const { signal } = new AbortController();
  const install = async (key: string, after?: Promise<void>): Promise<unknown> =>
    installs.once({
      key,
      by: { name: key, folder: key },
      install: async () => {
        await after;
        order.push(key);
      },
      take: async () => true,
      signal,
    });
  const slow = install("slow", held);
  expect(await install("quick")).toBeNull();
  release();
  expect(await slow).toBeNull();
  expect(order).toEqual(["quick", "slow"]);
});
