import { readdir } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { findObstacle, openDisk } from "../../../test/disk.ts";
import { UndoStack } from "../../base/undo-stack.ts";
import { createDatabase, forkDatabase, queryDatabase } from "../database.ts";
import type { Database } from "../database.ts";
import { openTestHome } from "../test-home.ts";
import type { TestHome } from "../test-home.ts";
import { assertRoom } from "./room.ts";

const undo = new UndoStack();
let obstacle: string | undefined;
let home: TestHome;
let database: Database;

/** On a disk that has room for the database, and not for another. */
beforeAll(async () => {
  obstacle = await findObstacle("ext4");
  if (obstacle !== undefined) return;
  const disk = await openDisk("ext4", 420);
  undo.push(() => disk.close());
  home = await openTestHome({ below: disk.folder });
  undo.push(() => home.close());
  const place = await home.createPlace();
  database = { place, record: await createDatabase(home.postgres, place, "shop") };
}, 120_000);
afterAll(async () => undo.undo(), 120_000);

test("as much room as is asked for, and some for the source, is there or the disk is full", async () => {
  await assertRoom("/", 0);
  await expect(assertRoom("/", 2 ** 60)).rejects.toMatchObject({ code: "disk_full" });
});

test("a fork that would not fit is refused before it begins: its source serves on, and nothing is left of it", async ({
  skip,
}) => {
  if (obstacle !== undefined) skip(obstacle);
  await queryDatabase(
    database,
    "CREATE TABLE pile AS SELECT repeat('x', 1000) FROM generate_series(1, 90000)",
  );
  const place = await home.createPlace();
  const fork = forkDatabase(home.postgres, database, { place, maskSql: null });
  await expect(fork).rejects.toMatchObject({
    code: "disk_full",
    remedy: expect.stringContaining("Make room"),
  });
  expect(await readdir(path.dirname(place.folder))).toEqual([]);
  await queryDatabase(database, "INSERT INTO pile VALUES ('one more')");
});
