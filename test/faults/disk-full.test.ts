/** A disk without space, as a small file system in memory: root alone can mount one. */
import { chmod, mkdir, rm, statfs, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";

import { environmentSchema, problemSchema } from "../../src/protocol/schemas.ts";
import type { EnvironmentView } from "../../src/protocol/schemas.ts";
import { directUrl, watchAnswers } from "../journeys/machine.ts";
import { eventually, fetchJson, openStage } from "../journeys/stage.ts";
import type { Stage } from "../journeys/stage.ts";

const MEGABYTE = 1024 * 1024;
/** PostgreSQL, its template and a few databases. */
const DISK_MEGABYTES = 400;
const LIMIT_MS = 60_000;

const failed = z.object({ problem: problemSchema });
const listed = z.array(environmentSchema);

let stage: Stage;
let app: string;
let development: EnvironmentView;
/** Why there is no such disk here. */
let obstacle: string | undefined;

beforeAll(async () => {
  stage = await openStage();
  obstacle = await mountDisk();
  if (obstacle !== undefined) return;
  app = await stage.copyApp("notes", ["pg"]);
  development = environmentSchema.parse(await stage.json(app, ["init"]));
}, 120_000);

afterAll(async () => {
  if (obstacle === undefined) {
    await stage.ramet(stage.folder, ["server", "stop"]);
    await eventually(async () => stage.run(stage.folder, "umount", stage.home));
  }
  await stage.close();
});

async function mountDisk(): Promise<string | undefined> {
  if (process.platform !== "linux" || process.getuid?.() !== 0)
    return "only root on Linux can mount a disk";
  // Else root's server keeps what other users must reach on another disk.
  await chmod(stage.folder, 0o711);
  await mkdir(stage.home);
  try {
    const size = `size=${DISK_MEGABYTES}m,mode=711`;
    await stage.run(stage.folder, "mount", "-t", "tmpfs", "-o", size, "tmpfs", stage.home);
    return undefined;
  } catch (error) {
    return `a disk cannot be mounted here: ${String(error)}`;
  }
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

test.for([0, 0.02, 0.2, 1, 3, 5])(
  "with %d MB left a create fails with one clear problem, leaves nothing, and works when there is space again",
  async (megabytes, { skip }) => {
    if (obstacle !== undefined) skip(obstacle);
    const watch = watchAnswers(directUrl(development));
    const answer = JSON.stringify(await fetchJson(directUrl(development)));
    const filler = await fill(megabytes);
    try {
      const { exitCode, stdout } = await stage.ramet(app, ["env", "create", "victim", "--json"]);
      const { problem } = failed.parse(JSON.parse(stdout));
      expect({ exitCode, problem }).toMatchObject({
        exitCode: 2,
        problem: { remedy: expect.stringMatching(/room|space/) },
      });
      expect(await listNames()).toEqual(["development"]);
    } finally {
      await filler.free();
    }
    expect(await stage.json(app, ["doctor"])).toMatchObject({ leftovers: [] });
    expect(await watch.stop()).toEqual([answer]);

    const made = environmentSchema.parse(await stage.json(app, ["env", "create", "victim"]));
    expect(made).toMatchObject({ state: "awake", problems: [] });
    await eventually(async () => {
      expect(await fetchJson(made.url ?? "")).toMatchObject({ environment: "victim", notes: 1000 });
    }, LIMIT_MS);
    await stage.json(app, ["env", "delete", "victim", "--force"]);
    // It answers when the delete is cleared: no space becomes free behind the next test's back.
    await stage.json(app, ["doctor"]);
  },
);
