/** A disk without space, as a small file system of its own: root mounts one, others name one of their own. */
import { chmod, mkdir, mkdtemp, rm, statfs, symlink, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";

import { UndoStack } from "../../src/base/undo-stack.ts";
import { environmentSchema, problemSchema, queryResultSchema } from "../../src/protocol/schemas.ts";
import type { EnvironmentView } from "../../src/protocol/schemas.ts";
import { findObstacle, openDisk } from "../disk.ts";
import type { DiskType } from "../disk.ts";
import { directUrl } from "../journeys/direct.ts";
import { watchAnswers } from "../journeys/machine.ts";
import { eventually, fetchJson, openStage } from "../journeys/stage.ts";
import type { Stage } from "../journeys/stage.ts";

const MEGABYTE = 1024 * 1024;
/** PostgreSQL, its template and a few databases. */
const DISK_MEGABYTES = 600;
const LIMIT_MS = 60_000;
const COUNT = "SELECT count(*) FROM notes";
const RESET = ["env", "reset", "victim", "--force"];

const failed = z.object({ problem: problemSchema });
const listed = z.array(environmentSchema);

/**
 * A folder that is a file system of some 600 MB, for an ordinary user who cannot mount one. Inside of `unshare -Urm sh`:
 * `mount -t tmpfs -o size=600m,mode=0700 tmpfs FOLDER`, then, with RAMET_FAULT_DISK=FOLDER, `exec unshare -U --map-user=UID
 * --map-group=GID npm run faults -- disk-full`.
 */
const OWN_DISK = process.env["RAMET_FAULT_DISK"];

let stage: Stage;
const undo = new UndoStack();
let app: string;
let development: EnvironmentView;

describe.each(["xfs", "ext4", "a disk of one's own"] as const)("on %s", (type) => {
  /** Why there is no such disk here. */
  let obstacle: string | undefined;

  beforeAll(async () => {
    if (type !== "a disk of one's own") obstacle = await findObstacle(type);
    else if (OWN_DISK === undefined) obstacle = "RAMET_FAULT_DISK names none";
    if (obstacle === undefined) await open(type);
  }, 240_000);
  afterAll(async () => undo.undo(), 120_000);

  test.for([0, 0.02, 0.2, 1, 3, 5])(
    "with %d MB left a create fails with one clear problem, leaves nothing, and works when there is space again",
    async (megabytes, { skip }) => {
      if (obstacle !== undefined) skip(obstacle);
      expect(await createInLittleRoom(megabytes)).toMatchObject({ state: "awake", problems: [] });
    },
  );

  test.for([0.02, 1])(
    "with %d MB left a reset fails with one clear problem and changes nothing, and works when there is space again",
    async (megabytes, { skip }) => {
      if (obstacle !== undefined) skip(obstacle);
      expect(await resetInLittleRoom(megabytes)).toEqual([["1"], ["1000"]]);
    },
  );

  test("a source that runs out of room while it writes says so, and has all its rows when there is space again", async ({
    skip,
  }) => {
    if (obstacle !== undefined) skip(obstacle);
    expect(await writeInLittleRoom()).toBe(2);
  });
});

async function open(type: DiskType | "a disk of one's own"): Promise<void> {
  stage = await openStage();
  undo.push(async () => stage.close());
  // Else root's server keeps what other users must reach on another disk.
  await chmod(stage.folder, 0o711);
  if (type === "a disk of one's own") await linkHome(OWN_DISK ?? "");
  else await mountHome(type);
  undo.push(async () => void (await stage.ramet(stage.folder, ["server", "stop"])));
  app = await stage.copyApp("notes", ["pg"]);
  development = environmentSchema.parse(await stage.json(app, ["init"]));
}

async function mountHome(type: DiskType): Promise<void> {
  const disk = await openDisk(type, DISK_MEGABYTES);
  undo.push(async () => disk.close());
  await mkdir(stage.home);
  await stage.run(stage.folder, "mount", "--bind", disk.folder, stage.home);
  undo.push(async () =>
    eventually(async () => void (await stage.run(stage.folder, "umount", stage.home))),
  );
}

async function linkHome(below: string): Promise<void> {
  const folder = await mkdtemp(path.join(below, "home-"));
  undo.push(async () => rm(folder, { recursive: true, force: true }));
  await symlink(folder, stage.home);
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

/** Resolves with how many rows it had after the reset that failed, and after one that did not. */
async function resetInLittleRoom(megabytes: number): Promise<unknown> {
  await stage.json(app, ["env", "create", "victim"]);
  await stage.json(app, ["db", "query", "DELETE FROM notes WHERE id > 1", "--env", "victim"]);
  const count = async (): Promise<unknown> => {
    const answer = await stage.json(app, ["db", "query", COUNT, "--env", "victim"]);
    return queryResultSchema.parse(answer).rows[0];
  };
  const filler = await fill(megabytes);
  try {
    const { exitCode, stdout } = await stage.ramet(app, [...RESET, "--json"]);
    expect([exitCode, JSON.parse(stdout)]).toMatchObject([2, { problem: { code: "disk_full" } }]);
  } finally {
    await filler.free();
  }
  expect(await stage.json(app, ["doctor"])).toMatchObject({ leftovers: [] });
  const before = await count();
  await stage.json(app, RESET);
  const counts = [before, await count()];
  await stage.json(app, ["env", "delete", "victim", "--force"]);
  await stage.json(app, ["doctor"]);
  return counts;
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
    const answer = await stage.json(app, ["db", "query", COUNT]);
    expect(answer).toMatchObject({ rows: [["1000"]] });
  }, LIMIT_MS);
  await stage.json(app, ["db", "query", "INSERT INTO notes (text) VALUES ('more')"]);
  await stage.json(app, ["db", "query", "DELETE FROM notes WHERE text = 'more'"]);
  return ended;
}
