/** A disk without space, as a small file system of its own: root alone can mount one. */
import { chmod, mkdir, rm, statfs, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";

import { environmentSchema, problemSchema } from "../../src/protocol/schemas.ts";
import type { EnvironmentView } from "../../src/protocol/schemas.ts";
import { findObstacle, openDisk } from "../disk.ts";
import type { Disk, DiskType } from "../disk.ts";
import { directUrl } from "../journeys/direct.ts";
import { watchAnswers } from "../journeys/machine.ts";
import { eventually, fetchJson, openStage } from "../journeys/stage.ts";
import type { Stage } from "../journeys/stage.ts";

const MEGABYTE = 1024 * 1024;
/** PostgreSQL, its template and a few databases. */
const DISK_MEGABYTES = 600;
const LIMIT_MS = 60_000;

const failed = z.object({ problem: problemSchema });
const listed = z.array(environmentSchema);

let stage: Stage;
let disk: Disk | undefined;
let app: string;
let development: EnvironmentView;

describe.each(["xfs", "ext4"] as const)("on %s", (type) => {
  /** Why there is no such disk here. */
  let obstacle: string | undefined;

  beforeAll(async () => {
    obstacle = await findObstacle(type);
    if (obstacle === undefined) await open(type);
  }, 240_000);
  afterAll(async () => {
    if (obstacle === undefined) await close();
  }, 120_000);

  test.for([0, 0.02, 0.2, 1, 3, 5])(
    "with %d MB left a create fails with one clear problem, leaves nothing, and works when there is space again",
    async (megabytes, { skip }) => {
      if (obstacle !== undefined) skip(obstacle);
      expect(await createInLittleRoom(megabytes)).toMatchObject({ state: "awake", problems: [] });
    },
  );

  test("a source that runs out of room while it writes says so, and has all its rows when there is space again", async ({
    skip,
  }) => {
    if (obstacle !== undefined) skip(obstacle);
    expect(await writeInLittleRoom()).toBe(2);
  });
});

async function open(type: DiskType): Promise<void> {
  stage = await openStage();
  disk = await openDisk(type, DISK_MEGABYTES);
  // Else root's server keeps what other users must reach on another disk.
  await chmod(stage.folder, 0o711);
  await mkdir(stage.home);
  await stage.run(stage.folder, "mount", "--bind", disk.folder, stage.home);
  app = await stage.copyApp("notes", ["pg"]);
  development = environmentSchema.parse(await stage.json(app, ["init"]));
}

async function close(): Promise<void> {
  await stage.ramet(stage.folder, ["server", "stop"]);
  await eventually(async () => stage.run(stage.folder, "umount", stage.home));
  await disk?.close();
  await stage.close();
}

/** Fills the disk up to what is left of it. */
async function fill(freeMegabytes: number): Promise<{ free(): Promise<void> }> {
  const file = path.join(stage.home, "filler");
  const { bavail, bsize } = await statfs(stage.home);
  const bytes = Math.max(0, bavail * bsize - Math.round(freeMegabytes * MEGABYTE));
  const chunk = Buffer.alloc(MEGABYTE, 1);
  const parts = Array.from({ length: Math.ceil(bytes / MEGABYTE) }, (_, index) =>
    chunk.subarray(0, Math.min(MEGABYTE, bytes - index * MEGABYTE)),
  );
  await writeFile(file, parts);
  return { free: async () => rm(file) };
}

async function listNames(): Promise<readonly string[]> {
  return listed.parse(await stage.json(app, ["env", "list"])).map(({ name }) => name);
}

async function createInLittleRoom(megabytes: number): Promise<EnvironmentView> {
  const direct = await directUrl(stage, development);
  const watch = watchAnswers(direct);
  const answer = JSON.stringify(await fetchJson(direct));
  const filler = await fill(megabytes);
  try {
    const { exitCode, stdout } = await stage.ramet(app, ["env", "create", "victim", "--json"]);
    const { problem } = failed.parse(JSON.parse(stdout));
    expect({ exitCode, problem }).toMatchObject({
      exitCode: 2,
      problem: { code: "disk_full", remedy: expect.stringContaining("Make room") },
    });
    expect(await listNames()).toEqual(["development"]);
  } finally {
    await filler.free();
  }
  expect(await stage.json(app, ["doctor"])).toMatchObject({ leftovers: [] });
  expect(await watch.stop()).toEqual([answer]);

  const made = environmentSchema.parse(await stage.json(app, ["env", "create", "victim"]));
  await eventually(async () => {
    expect(await fetchJson(made.url ?? "")).toMatchObject({ environment: "victim", notes: 1000 });
  }, LIMIT_MS);
  await stage.json(app, ["env", "delete", "victim", "--force"]);
  // It answers when the delete is cleared: no space becomes free behind the next test's back.
  await stage.json(app, ["doctor"]);
  return made;
}

/** Resolves with how the write ended. */
async function writeInLittleRoom(): Promise<number> {
  const filler = await fill(3);
  let ended = 0;
  try {
    const sql =
      "INSERT INTO notes (text) SELECT repeat(md5(n::text), 60) FROM generate_series(1, 9000) n";
    ended = (await stage.ramet(app, ["db", "query", sql, "--json"])).exitCode;
  } finally {
    await filler.free();
  }
  await eventually(async () => {
    expect(await fetchJson(await directUrl(stage, development))).toMatchObject({ notes: 1000 });
    const answer = await stage.json(app, ["db", "query", "SELECT count(*) FROM notes"]);
    expect(answer).toMatchObject({ rows: [["1000"]] });
  }, LIMIT_MS);
  await stage.json(app, ["db", "query", "INSERT INTO notes (text) VALUES ('more')"]);
  await stage.json(app, ["db", "query", "DELETE FROM notes WHERE text = 'more'"]);
  return ended;
}
