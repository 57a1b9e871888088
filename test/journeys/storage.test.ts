/** A home's storage from its making to its removal, with a running app in it: nothing is lost at any step. */
import { randomInt } from "node:crypto";
import { chmod, mkdir, readdir, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";

import { canReflink } from "../../src/base/can-reflink.ts";
import { exists } from "../../src/base/remove-inside.ts";
import { environmentSchema, problemSchema } from "../../src/protocol/schemas.ts";
import type { EnvironmentView } from "../../src/protocol/schemas.ts";
import { findObstacle, openDisk } from "../disk.ts";
import type { Disk } from "../disk.ts";
import { eventually, fetchJson, openStage } from "./stage.ts";
import type { Stage } from "./stage.ts";

const failed = z.object({ problem: problemSchema });
const listed = z.array(environmentSchema);
const LIMIT_MS = 60_000;

let stage: Stage;
let disk: Disk | undefined;
let obstacle: string | undefined;
let app: string;

/** An ordinary disk: on one that shares blocks already there would be nothing to do. */
beforeAll(async () => {
  stage = await openStage();
  obstacle = (await findObstacle("xfs")) ?? (await findObstacle("ext4"));
  if (obstacle !== undefined) return;
  disk = await openDisk("ext4", 1600);
  // Else root's server keeps what other users must reach on another disk.
  await chmod(stage.folder, 0o711);
  await mkdir(stage.home);
  await stage.run(stage.folder, "mount", "--bind", disk.folder, stage.home);
  app = await stage.copyApp("notes", ["pg"]);
  await stage.json(app, ["init"]);
}, 120_000);

afterAll(async () => {
  await stage.ramet(stage.folder, ["server", "stop"]);
  if (disk !== undefined) {
    await eventually(async () => stage.run(stage.folder, "umount", stage.home));
    await disk.close();
  }
  await stage.close();
});

async function list(): Promise<readonly EnvironmentView[]> {
  return listed.parse(await stage.json(app, ["env", "list"]));
}

/** A row that only this environment has, and that must be there ever after. */
async function mark(name: string): Promise<string> {
  const text = `mark ${randomInt(1e9)}`;
  const sql = `INSERT INTO notes (text) VALUES ('${text}')`;
  await stage.json(app, ["db", "query", sql, "--env", name]);
  return text;
}

async function expectMarked(name: string, text: string): Promise<void> {
  const sql = `SELECT count(*) FROM notes WHERE text = '${text}'`;
  const answer = await stage.json(app, ["db", "query", sql, "--env", name]);
  expect(answer).toMatchObject({ rows: [["1"]] });
}

async function expectAnswers(name: string): Promise<void> {
  const { url } = environmentSchema.parse(await stage.json(app, ["env", "show", name]));
  await eventually(async () => {
    expect(await fetchJson(url ?? "")).toMatchObject({ environment: name });
  }, LIMIT_MS);
}

test("storage is made under a running app, forked in, slept in, mounted again, and removed, and no row is lost", async ({
  skip,
}) => {
  if (obstacle !== undefined) skip(obstacle);
  const data = path.join(stage.home, "data");
  const first = await mark("development");
  await stage.json(app, ["env", "create", "early"]);
  await stage.json(app, ["env", "stop", "early"]);
  expect(await canReflink(data)).toBe(false);

  const made = await stage.json(app, ["server", "storage", "create", "--size", "600M"]);
  expect(made).toMatchObject({ mounted: true, folder: data });
  expect((await list()).map(({ name, state }) => ({ name, state }))).toEqual([
    { name: "development", state: "awake" },
    { name: "early", state: "asleep" },
  ]);
  await expectAnswers("development");
  await expectMarked("development", first);

  // A fork shares its parent's blocks; it sleeps, and wakes again.
  const { stderr } = await stage.ramet(app, ["env", "create", "late"]);
  expect(stderr).toMatch(/database: done .*reflink/);
  const second = await mark("late");
  await stage.json(app, ["env", "stop", "late"]);
  await expectMarked("late", second);
  await expectAnswers("late");

  // Stopped for good, the server leaves no mount behind; started, it mounts again.
  await stage.json(app, ["server", "stop"]);
  expect(await readdir(data)).toEqual([]);
  await expectAnswers("development");
  await expectMarked("late", second);
  await expectMarked("early", first);

  // It leaves alone, all sleep, and someone unmounts by hand.
  await stage.json(app, ["server", "stop"]);
  await stage.json(app, ["server", "start"]);
  await stage.run(stage.folder, "umount", data);
  const { stdout } = await stage.ramet(app, ["env", "list", "--json"]);
  expect(failed.parse(JSON.parse(stdout)).problem.code).toBe("storage_unmounted");
  await stage.json(app, ["server", "restart"]);
  expect(await list()).toHaveLength(3);
  expect(await stage.json(app, ["doctor"])).toMatchObject({ leftovers: [] });
  await expectMarked("late", second);

  await stage.json(app, ["server", "storage", "grow", "--size", "700M"]);
  await expectMarked("development", first);

  expect(await stage.json(app, ["server", "storage", "remove"])).toBeNull();
  expect(await canReflink(data)).toBe(false);
  expect(await exists(path.join(stage.home, "storage"))).toBe(false);
  for (const name of ["development", "early"]) await expectMarked(name, first);
  await expectMarked("late", second);
  await expectAnswers("late");
  expect(await stage.json(app, ["doctor"])).toMatchObject({ leftovers: [] });
}, 180_000);

test("while its storage cannot be mounted, every command says so, nothing is swept, and all is there again once it can", async ({
  skip,
}) => {
  if (obstacle !== undefined) skip(obstacle);
  const image = path.join(stage.home, "storage", "image");
  const text = await mark("development");
  await stage.json(app, ["server", "storage", "create", "--size", "600M"]);
  await stage.json(app, ["server", "stop"]);
  await stage.run(stage.folder, "mv", image, `${image}.away`);
  await writeFile(image, "no file system");

  for (const argv of [
    ["env", "list"],
    ["env", "show", "development"],
    ["doctor", "--fix"],
  ]) {
    const { exitCode, stdout } = await stage.ramet(app, [...argv, "--json"]);
    expect({ exitCode, ...failed.parse(JSON.parse(stdout)).problem }).toMatchObject({
      exitCode: 2,
      code: "storage_unmounted",
      remedy: expect.stringContaining("server storage create"),
    });
  }
  expect(await stage.json(app, ["server", "status"])).toMatchObject({ running: false });
  expect(await stage.json(app, ["server", "stop"])).toMatchObject({ wasRunning: false });

  await stage.run(stage.folder, "mv", `${image}.away`, image);
  expect((await list()).map(({ name }) => name)).toEqual(["development", "early", "late"]);
  await expectMarked("development", text);
  await stage.json(app, ["server", "storage", "remove"]);
}, 180_000);
