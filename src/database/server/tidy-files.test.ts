import { execFile } from "node:child_process";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { findObstacle, openDisk } from "../../../test/disk.ts";
import { UndoStack } from "../../base/undo-stack.ts";
import {
  createDatabase,
  forkDatabase,
  queryDatabase,
  startDatabase,
  stopDatabase,
} from "../database.ts";
import type { Database } from "../database.ts";
import { asAdmin, openTestHome } from "../test-home.ts";
import type { TestHome } from "../test-home.ts";
import { parseScattered, tidyFiles } from "./tidy-files.ts";

const run = promisify(execFile);
const SIGNAL = new AbortController().signal;
/** Few enough that a small database has more. */
const MOST = 100;
const SUM = "SELECT count(*), md5(string_agg(id || filler, ',' ORDER BY id)) FROM pile";

const undo = new UndoStack();
let obstacle: string | undefined;
let home: TestHome;
let database: Database;

beforeAll(async () => {
  obstacle = await findObstacle("xfs");
  if (obstacle !== undefined) return;
  const disk = await openDisk("xfs", 1600);
  undo.push(() => disk.close());
  home = await openTestHome({ below: disk.folder });
  undo.push(() => home.close());
}, 120_000);
afterAll(async () => undo.undo(), 120_000);

/** A database of 40 MB that shares its blocks with a fork, and has then been written to all over. */
beforeEach(async () => {
  if (obstacle !== undefined) return;
  const place = await home.createPlace();
  database = { place, record: await createDatabase(home.postgres, place, "shop") };
  await queryDatabase(database, "CREATE TABLE pile (id int PRIMARY KEY, filler text)");
  const rows = "SELECT id, repeat(md5(id::text), 30) FROM generate_series(1, 36000) id";
  await queryDatabase(database, `INSERT INTO pile ${rows}`);
  // Else the first look at the rows writes to every page.
  await queryDatabase(database, "VACUUM (FREEZE) pile");
  const fork = await home.createPlace();
  await forkDatabase(home.postgres, database, { place: fork, maskSql: null });
  await stopDatabase(fork);
  await queryDatabase(database, "UPDATE pile SET filler = upper(filler) WHERE id % 20 = 0");
  await asAdmin(database, async (admin) => admin.query("CHECKPOINT"));
});

async function countExtents(): Promise<number> {
  const args = [".", "-type", "f", "-size", "+8M", "-exec", "filefrag", "{}", "+"];
  const { stdout } = await run("find", args, { cwd: database.place.folder });
  return Math.max(...parseScattered(stdout, 0).map(({ extents }) => extents));
}

test("only files with many extents are listed, whatever stands in their names", () => {
  const printed = [
    "./base/5/16384: 5000 extents found",
    "./base/5/16384.1: 1 extent found",
    "./base/5/odd name: 9: 7 extents found",
    "filefrag: something else",
  ].join("\n");
  expect(parseScattered(printed, 6)).toEqual([
    { file: "base/5/16384", extents: 5000 },
    { file: "base/5/odd name: 9", extents: 7 },
  ]);
});

test("a database at rest is written anew in few pieces, row for row the same, and needs it no second time", async ({
  skip,
}) => {
  if (obstacle !== undefined) skip(obstacle);
  const before = await queryDatabase(database, SUM);
  await stopDatabase(database.place);
  expect(await countExtents()).toBeGreaterThan(MOST);

  expect(await tidyFiles(database.place, { signal: SIGNAL, most: MOST })).toBe(1);
  expect(await countExtents()).toBeLessThan(MOST);
  expect(await tidyFiles(database.place, { signal: SIGNAL, most: MOST })).toBe(0);
  expect(await readdir(database.place.folder)).not.toContain("tidy.tmp");

  await startDatabase(home.postgres, database.place);
  expect(await queryDatabase(database, SUM)).toEqual(before);
});

test("a database that runs, or that crashed, is left as it is", async ({ skip }) => {
  if (obstacle !== undefined) skip(obstacle);
  expect(await tidyFiles(database.place, { signal: SIGNAL, most: MOST })).toBe(0);
  const pid = Number(
    (await run("head", ["-1", path.join(database.place.folder, "postmaster.pid")])).stdout,
  );
  process.kill(pid, "SIGKILL");
  await stopDatabase(database.place);
  expect(await tidyFiles(database.place, { signal: SIGNAL, most: MOST })).toBe(0);
});

test("a database that ran while it was tidied keeps the files that its server wrote", async ({
  skip,
}) => {
  if (obstacle !== undefined) skip(obstacle);
  await stopDatabase(database.place);
  const tidying = tidyFiles(database.place, { signal: SIGNAL, most: MOST });
  await startDatabase(home.postgres, database.place);
  await queryDatabase(database, "UPDATE pile SET filler = 'new' WHERE id = 1");
  const after = await queryDatabase(database, SUM);
  await stopDatabase(database.place);
  await tidying;
  await startDatabase(home.postgres, database.place);
  expect(await queryDatabase(database, SUM)).toEqual(after);
});

test("what a crash left of tidying hinders neither the database's start, nor a fork, nor the next tidying", async ({
  skip,
}) => {
  if (obstacle !== undefined) skip(obstacle);
  const left = path.join(database.place.folder, "tidy.tmp");
  await stopDatabase(database.place);
  await mkdir(left);
  await writeFile(path.join(left, "16384"), "half");
  await startDatabase(home.postgres, database.place);
  const place = await home.createPlace();
  await forkDatabase(home.postgres, database, { place, maskSql: null });
  expect(await readdir(place.folder)).not.toContain("tidy.tmp");
  await stopDatabase(database.place);
  expect(await tidyFiles(database.place, { signal: SIGNAL, most: MOST })).toBe(1);
  expect(await readdir(database.place.folder)).not.toContain("tidy.tmp");
});
