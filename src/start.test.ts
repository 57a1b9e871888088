import { mkdir, mkdtemp, readdir, realpath, rm, stat, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { runProgram } from "./process/process.ts";
import type { ProgramResult } from "./process/process.ts";

const START = path.join(import.meta.dirname, "start.js");
const LIMIT_MS = 20_000;

let folder: string;
let home: string;

beforeEach(async () => {
  folder = await realpath(await mkdtemp(path.join(os.tmpdir(), "ramet-start-")));
  home = path.join(folder, "home");
});

afterEach(() => rm(folder, { recursive: true }));

test("what is compiled is kept below the home, for its owner alone", async () => {
  await mkdir(home, { mode: 0o711 });

  const first = await start("version");
  const second = await start("version");

  expect(await countKept()).toBeGreaterThan(5);
  expect((await stat(path.join(home, "compiled"))).mode & 0o777).toBe(0o700);
  expect([first.exitCode, second.stdout]).toEqual([0, first.stdout]);
});

test("a start makes no home", async () => {
  expect((await start("version")).exitCode).toBe(0);
  expect(await readdir(folder)).toEqual([]);
});

test("where nothing can be kept it starts all the same", async () => {
  await mkdir(home);
  await writeFile(path.join(home, "compiled"), "no folder");

  expect(await start("version")).toMatchObject({ exitCode: 0, stderr: "" });
});

test("what was damaged is compiled anew", async () => {
  await mkdir(home);
  const { stdout } = await start("version");
  const kept = await listKept();
  await Promise.all(kept.map((file) => writeFile(file, "damaged")));

  expect(await start("version")).toMatchObject({ exitCode: 0, stdout, stderr: "" });
});

function start(...args: readonly string[]): Promise<ProgramResult> {
  const environment = { PATH: "/usr/bin:/bin", RAMET_HOME: home, HOME: folder };
  const launch = {
    file: process.execPath,
    args: [START, ...args],
    folder,
    environment,
    user: null,
  };
  return runProgram(launch, { timeoutMs: LIMIT_MS });
}

async function countKept(): Promise<number> {
  return (await listKept()).length;
}

async function listKept(): Promise<string[]> {
  const options = { recursive: true, withFileTypes: true } as const;
  const entries = await readdir(path.join(home, "compiled"), options);
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => path.join(parentPath, name));
}
