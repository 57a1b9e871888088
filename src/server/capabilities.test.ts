import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { examineMachine } from "./capabilities.ts";

const MEGABYTE = 1_000_000;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "ramet-examined-"));
});
afterEach(async () => rm(folder, { recursive: true }));

test("what all standbys cost together is told, and that there are none", async () => {
  const where = { home: { folder }, data: folder };
  const one = { diskBytes: 30 * MEGABYTE, memoryBytes: 18 * MEGABYTE, walBytes: 0 };
  const two = { diskBytes: 2_000 * MEGABYTE, memoryBytes: 20 * MEGABYTE, walBytes: MEGABYTE };
  expect((await examineMachine(where, []))["standbys"]).toBe("none");
  expect((await examineMachine(where, [one, two]))["standbys"]).toBe(
    "2: 2.0 GB of disk, 38 MB of memory, 1 MB of WAL kept",
  );
});

test("how a database is forked here depends on whether copies can share their blocks", async () => {
  const { reflink, forks } = await examineMachine({ home: { folder }, data: folder }, []);
  expect(String(forks)).toMatch(reflink === true ? /^reflink: / : /^standby: .*, else a copy/);
});
