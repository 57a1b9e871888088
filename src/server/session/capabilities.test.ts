import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { examineMachine } from "./capabilities.ts";

const MEGABYTE = 1_000_000;
const NONE = { standbys: [], spares: [] };
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "ramet-examined-"));
});
afterEach(async () => rm(folder, { recursive: true }));

test("what all standbys cost together is told, and that there are none", async () => {
  const where = { home: { folder }, data: folder };
  const one = { diskBytes: 30 * MEGABYTE, memoryBytes: 18 * MEGABYTE, walBytes: 0 };
  const two = { diskBytes: 2_000 * MEGABYTE, memoryBytes: 20 * MEGABYTE, walBytes: MEGABYTE };
  expect((await examineMachine(where, NONE))["standbys"]).toBe("none");
  expect((await examineMachine(where, { ...NONE, standbys: [one, two] }))["standbys"]).toBe(
    "2: 2.0 GB of disk, 38 MB of memory, 1 MB of WAL kept",
  );
});

test("what is kept ready for forks is told with what it takes", async () => {
  const where = { home: { folder }, data: folder };
  const one = { name: "node_modules", entries: 26_240, bytes: 340 * MEGABYTE };
  expect((await examineMachine(where, NONE))["spares"]).toBe("none");
  expect((await examineMachine(where, { ...NONE, spares: [one, one] }))["spares"]).toBe(
    "2: node_modules, 52480 files and folders, 680 MB of disk",
  );
});

test("how a database is forked here depends on whether copies can share their blocks", async () => {
  const { reflink, forks } = await examineMachine({ home: { folder }, data: folder }, NONE);
  expect(String(forks)).toMatch(reflink === true ? /^reflink: / : /^standby: .*, else a copy/);
});
