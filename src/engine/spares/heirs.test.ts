import { lstat } from "node:fs/promises";
import path from "node:path";

import { afterAll, afterEach, beforeAll, expect, test } from "vitest";

import { exists } from "../../base/remove-inside.ts";
import type { EnvironmentRecord } from "../../environment/environment.ts";
import { parseEnvironmentName } from "../../environment/name.ts";
import { findSpare, listSpareFolders } from "../home/spare-file.ts";
import type { SpareRecord } from "../home/spare-file.ts";
import type { LiveEnvironment } from "../live/live-environment.ts";
import { patiently, TestEngine, until } from "../test-engine.ts";

const IS_ROOT = process.getuid?.() === 0;
/** Nothing runs in it: it is about whose files are. */
const APP = { processes: {}, database: false, files: { clone: ["node_modules"] } };

let stage: TestEngine;

beforeAll(async () => {
  stage = await TestEngine.open(undefined, { spares: { most: 4, calmMs: 0, leastEntries: 2 } });
  // Nothing in its trees counts as changed a moment ago.
  stage.pass(60_000);
  await stage.writeApp("shop", { "node_modules/p/index.js": "1" });
  await stage.createApp("shop", APP);
});
afterAll(async () => stage.close());
afterEach(async () => {
  stage.checkpoint = () => undefined;
  for (const live of stage.engine.registry.list(null))
    if (live.record.name !== "development") await stage.engine.delete(live);
  // The uids of what is being cleared away are taken still.
  await stage.engine.leftovers();
});

type Spare = { readonly folder: string; readonly record: SpareRecord };

async function untilReady(): Promise<Spare> {
  return until(async () => {
    stage.engine.spares.touch();
    if (stage.engine.spares.describe().length === 0) return undefined;
    const [folder = ""] = await listSpareFolders(stage.layout);
    const record = await findSpare(folder);
    return record === undefined ? undefined : { folder, record };
  });
}

async function linked(name: string): Promise<EnvironmentRecord> {
  const folder = await stage.writeApp(name, { "ramet.json": APP });
  const source = stage.engine.registry.require("shop", "development");
  const named = { app: source.record.app, name: parseEnvironmentName(name), source };
  const files = { kind: "linked", path: folder } as const;
  await stage.engine.create({ ...named, files, searchPath: "/bin" }, patiently());
  return stage.engine.registry.require("shop", name).record;
}

const fileOf = ({ record }: LiveEnvironment): string =>
  path.join(record.files.path, "node_modules/p/index.js");

test.runIf(!IS_ROOT)("who cannot give files away keeps no uid for anybody", async () => {
  const { record } = await untilReady();
  expect(record).toMatchObject({ owner: null, isReserved: false });
  expect(stage.engine.spares.uids()).toEqual([]);
});

test.runIf(IS_ROOT)("a fork is the user whose the copy that waits for it is already", async () => {
  const { folder, record } = await untilReady();
  const before = await lstat(path.join(folder, "tree/p/index.js"));
  expect(record).toMatchObject({ isReserved: true, owner: { uid: before.uid } });
  const live = await stage.fork("shop", "one");
  expect(live.record.uid).toBe(before.uid);
  // Whoever gives a file to somebody changes it, by the kernel's date.
  const { uid, ino, ctimeMs } = await lstat(fileOf(live));
  expect({ uid, ino, ctimeMs }).toEqual({
    uid: before.uid,
    ino: before.ino,
    ctimeMs: before.ctimeMs,
  });
});

test("a push touched every file of a kept tree, so that a copy kept ready of it was of no use", async () => {
  const live = await stage.fork("shop", "one");
  const { uid, ctimeMs } = await lstat(fileOf(live));
  await stage.engine.filesChanged(live, patiently());
  expect(await lstat(fileOf(live))).toMatchObject({ uid, ctimeMs });
});

test.runIf(IS_ROOT)("nobody else is given that uid, and the next server knows it", async () => {
  const { record } = await untilReady();
  await stage.writeApp("other", {});
  const other = await stage.createApp("other", APP);
  expect(other.record.uid).not.toBe(record.owner?.uid);
  await stage.reopen();
  expect(stage.engine.spares.uids()).toEqual([record.owner?.uid]);
  const live = await stage.fork("shop", "one");
  expect(live.record.uid).toBe(record.owner?.uid);
  await stage.engine.deleteApp(other.record.app);
});

test.runIf(IS_ROOT)(
  "the uid of a fork that fails is the next one's, with another copy",
  async () => {
    const { folder, record } = await untilReady();
    stage.checkpoint = (step) => {
      if (step === "before files") throw new Error("No.");
    };
    await expect(stage.fork("shop", "one")).rejects.toThrow("No.");
    stage.checkpoint = () => undefined;
    // It was brought up to date for that very fork.
    await until(async () => ((await exists(folder)) ? undefined : true));
    expect((await untilReady()).record.owner).toEqual(record.owner);
    expect((await stage.fork("shop", "one")).record.uid).toBe(record.owner?.uid);
  },
);

test.runIf(IS_ROOT)(
  "a server that is killed between the choice of a uid and the copy's use gives it to one environment alone",
  async () => {
    const { record } = await untilReady();
    // It takes the user, and has nothing to be copied: as far as a fork has come that never placed its copy.
    await stage.writeApp("shop", { "ramet.json": { ...APP, files: { clone: [] } } });
    const first = await stage.fork("shop", "one");
    await stage.writeApp("shop", { "ramet.json": APP });
    expect(first.record.uid).toBe(record.owner?.uid);
    await stage.reopen();
    expect((await untilReady()).record).toEqual(record);
    const second = await stage.fork("shop", "two");
    expect(second.record.uid).not.toBe(first.record.uid);
    // Its copy is its own all the same.
    expect(await lstat(fileOf(second))).toMatchObject({ uid: second.record.uid });
  },
);

test.runIf(IS_ROOT)("of forks at one moment each is a user of its own", async () => {
  await untilReady();
  const names = ["one", "two", "three"];
  const made = await Promise.all(names.map(async (name) => stage.fork("shop", name)));
  expect(new Set(made.map(({ record }) => record.uid)).size).toBe(3);
  for (const live of made)
    expect(await lstat(fileOf(live))).toMatchObject({ uid: live.record.uid });
});

test.runIf(IS_ROOT)(
  "where forks run on folders of somebody's, the next copy is theirs, and keeps no uid",
  async () => {
    await untilReady();
    await linked("agent");
    const { record } = await until(async () => {
      const ready = await untilReady();
      return ready.record.isReserved ? undefined : ready;
    });
    expect(record.owner).toEqual({ uid: 0, gid: 0 });
    expect(stage.engine.spares.uids()).toEqual([]);
    const live = await stage.fork("shop", "one");
    expect(await lstat(fileOf(live))).toMatchObject({ uid: live.record.uid });
  },
);

test.runIf(IS_ROOT)(
  "a standby and the copies that wait for the same fork are one user's",
  async () => {
    const other = await TestEngine.open(
      { most: 1, calmMs: 0, always: true },
      { spares: { most: 4, calmMs: 0, leastEntries: 2 } },
    );
    try {
      other.pass(60_000);
      await other.writeApp("ledger", { "node_modules/p/index.js": "1" });
      const { record } = await other.createApp("ledger", { ...APP, database: undefined });
      await until(() => {
        other.engine.spares.touch();
        const [standby] = other.engine.standbys.describe(record.id);
        const isReady = standby?.state === "following" && other.engine.spares.describe().length > 0;
        return isReady ? true : undefined;
      });
      const [uid] = other.engine.standbys.uids();
      expect(other.engine.spares.uids()).toEqual([uid]);
      const live = await other.fork("ledger", "one");
      expect(live.record.uid).toBe(uid);
      expect(await lstat(fileOf(live))).toMatchObject({ uid });
    } finally {
      await other.close();
    }
  },
);
