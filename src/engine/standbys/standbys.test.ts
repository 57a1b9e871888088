import { writeFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, afterEach, beforeAll, expect, test } from "vitest";

import { listPostgresBins } from "../../../test/journeys/postgres-bins.ts";
import { exists } from "../../base/remove-inside.ts";
import { listStreams, queryDatabase } from "../../database/database.ts";
import type { Stream } from "../../database/database.ts";
import type { EnvironmentId } from "../../environment/environment.ts";
import { isEnvironmentId } from "../../environment/environment.ts";
import { parseEnvironmentName } from "../../environment/name.ts";
import { writeStandby } from "../home/standby-file.ts";
import type { LiveEnvironment } from "../live/live-environment.ts";
import { patiently, runs, STRANGER, TestEngine, until } from "../test-engine.ts";

const HOUR_MS = 60 * 60_000;
const WEB = { processes: { web: { command: runs("serves.mjs") } } };
let stage: TestEngine;
let source: LiveEnvironment;

beforeAll(async () => {
  stage = await TestEngine.open({ most: 3, calmMs: 0, always: true });
  source = await stage.createApp("shop", WEB);
  await ask(source, "CREATE TABLE moves (n int)");
});
afterAll(async () => stage.close());
afterEach(async () => {
  for (const live of stage.engine.registry.list(source.record.app))
    if (live.record.name !== "development") await stage.engine.delete(live);
  await source.wake();
  stage.checkpoint = () => undefined;
});

async function ask(live: LiveEnvironment, sql: string): Promise<(string | null)[][]> {
  return live.withDatabase(async (database) => {
    if (database === null) throw new Error("It has a database.");
    return (await queryDatabase(database, sql)).rows;
  });
}

async function streamsOf(live: LiveEnvironment): Promise<readonly Stream[]> {
  return live.withDatabase(async (database) => {
    if (database === null) throw new Error("It has a database.");
    return listStreams(database);
  });
}

/** Of an environment: the one standby that it has when it follows. */
async function untilFollowed(live = source): Promise<EnvironmentId> {
  return until(async () => {
    const { standbys } = await stage.engine.describe(live);
    const [standby] = standbys.filter(({ state }) => state === "following");
    return standby !== undefined && isEnvironmentId(standby.id) ? standby.id : undefined;
  });
}

/** How its database was made. */
async function fork(name: string, app = "shop"): Promise<{ live: LiveEnvironment; how: string }> {
  let how = "";
  const live = await stage.fork(app, name, {
    ...patiently(),
    report: ({ part, state, detail }) => {
      if (part === "database" && state === "done") how = detail ?? "";
    },
  });
  return { live, how };
}

async function untilGone(id: EnvironmentId): Promise<void> {
  const { layout } = stage;
  await until(async () => {
    const processes = await stage.marked(id);
    const folders = [layout.folder(id), layout.databaseSockets(id), layout.keeperSockets(id)];
    const left = await Promise.all(folders.map(async (folder) => exists(folder)));
    return processes.length === 0 && !left.includes(true) ? true : undefined;
  });
}

test("a fork becomes what its source's standby was made for, with every row, and the next one is made behind it", async () => {
  const id = await untilFollowed();
  expect(await stage.engine.leftovers()).toEqual([]);
  await ask(source, "INSERT INTO moves VALUES (1)");
  const { live, how } = await fork("first");

  expect(how).toBe("promoted a standby");
  expect(live.record.id).toBe(id);
  expect(await ask(live, "SELECT count(*) FROM moves")).toEqual([["1"]]);
  const next = await untilFollowed();
  expect(next).not.toBe(id);
  await until(async () =>
    (await streamsOf(source)).every((stream) => stream.id === next) ? true : undefined,
  );
  expect(await stage.engine.leftovers()).toEqual([]);
  const { standbys } = await stage.engine.describe(source);
  expect(standbys).toMatchObject([{ id: next, state: "following", diskBytes: expect.any(Number) }]);
  expect(standbys[0]?.diskBytes).toBeGreaterThan(1_000_000);
});

test("of several forks at once one promotes, and the others are copied and say so", async () => {
  await untilFollowed();
  const forks = await Promise.all(["a", "b", "c"].map(async (name) => fork(name)));
  const hows = forks.map(({ how }) => how).toSorted();
  expect(hows.at(-1)).toBe("promoted a standby");
  for (const how of hows.slice(0, -1))
    expect(how).toMatch(/^(copied \d+ MB: no standby was ready|reflink \d+ MB)$/);
  for (const { live } of forks) expect(await ask(live, "SELECT 1")).toEqual([["1"]]);
});

test("while a source sleeps its standbys hold no process; a fork of it then has what it had", async () => {
  const id = await untilFollowed();
  await source.sleep();
  await until(async () => ((await stage.marked()).length === 0 ? true : undefined));
  expect(await stage.engine.leftovers()).toEqual([]);
  await ask(source, "INSERT INTO moves VALUES (2)");
  const { live, how } = await fork("early");
  expect(how).toBe("promoted a standby");
  expect(live.record.id).toBe(id);
  expect(await ask(live, "SELECT count(*) FROM moves WHERE n = 2")).toEqual([["1"]]);
  await source.wake();
  await untilFollowed();
});

test("another server takes up the standbys of the one before it", async () => {
  const id = await untilFollowed();
  const before = await stage.marked(id);
  await stage.reopen();
  source = stage.engine.registry.require("shop", "development");
  expect(await untilFollowed()).toBe(id);
  expect(await stage.marked(id)).toEqual(before);
  expect((await fork("after")).live.record.id).toBe(id);
});

test("a fork that is refused before anything is made leaves the standby to the next", async () => {
  const id = await untilFollowed();
  await stage.writeApp("shop", { "ramet.json": { ...WEB, database: { mask: "none.sql" } } });
  await expect(fork("refused")).rejects.toMatchObject({ code: "mask_missing" });
  await stage.writeApp("shop", { "ramet.json": WEB });
  expect(await untilFollowed()).toBe(id);
  expect((await fork("granted")).live.record.id).toBe(id);
});

test("a fork that fails at its mask takes the standby with it, and nothing of either is left", async () => {
  const id = await untilFollowed();
  const mask = { ...WEB, database: { mask: "mask.sql" } };
  await stage.writeApp("shop", { "ramet.json": mask, "mask.sql": "UPDATE nothing SET n = 1" });
  await expect(fork("failing")).rejects.toMatchObject({ code: "mask_failed" });
  await stage.writeApp("shop", { "ramet.json": WEB });
  await untilGone(id);
  expect(await untilFollowed()).not.toBe(id);
  expect(await stage.engine.leftovers()).toEqual([]);
});

test("standbys of a source that is not there, and folders of half-made ones, are swept, and their streams end", async () => {
  const id = await untilFollowed();
  const { layout } = stage;
  const half = path.join(layout.folder(id), "standby.json");
  await stage.engine.close();
  // As a server leaves it that is killed between a promotion and the record.
  await writeFile(half, "{");
  await stage.reopen();
  source = stage.engine.registry.require("shop", "development");
  await untilGone(id);
  const next = await untilFollowed();
  await writeStandby(layout, { id: next, uid: null, source: STRANGER });
  await stage.reopen();
  source = stage.engine.registry.require("shop", "development");
  await untilGone(next);
  const last = await untilFollowed();
  await until(async () =>
    (await streamsOf(source)).every((stream) => stream.id === last) ? true : undefined,
  );
  expect(await stage.engine.leftovers()).toEqual([]);
});

test("streams end also in a source that nobody is likely to fork any more", async () => {
  const { live: parent } = await fork("parent");
  const { app, searchPath } = parent.record;
  const named = { app, name: parseEnvironmentName("child"), files: { kind: "kept" } as const };
  await stage.engine.create({ ...named, source: parent, searchPath }, patiently());
  const id = await untilFollowed(parent);
  await stage.engine.close();
  await writeFile(path.join(stage.layout.folder(id), "standby.json"), "{");
  stage.pass(HOUR_MS);
  await stage.reopen();
  source = stage.engine.registry.require("shop", "development");
  await untilGone(id);
  const again = stage.engine.registry.require("shop", "parent");
  const isClear = async (): Promise<true | undefined> =>
    (await streamsOf(again)).length === 0 ? true : undefined;
  expect(await until(isClear)).toBe(true);
});

test("after a restart what was forked within the hour gets its next standby, without another fork of it", async () => {
  const { live: parent } = await fork("parent");
  const { app, searchPath } = parent.record;
  const makeChild = async (name: string): Promise<void> => {
    const named = { app, name: parseEnvironmentName(name), files: { kind: "kept" } as const };
    await stage.engine.create({ ...named, source: parent, searchPath }, patiently());
    await stage.engine.delete(stage.engine.registry.require("shop", name));
  };
  await makeChild("first");
  const used = await untilFollowed(parent);
  // Nobody builds the next one meanwhile: it is the next server's to do.
  stage.checkpoint = async (step) => {
    if (step === "before standby") throw new Error("not now");
  };
  await makeChild("second");
  await untilGone(used);
  await stage.reopen();
  stage.checkpoint = () => undefined;
  source = stage.engine.registry.require("shop", "development");
  const next = await untilFollowed(stage.engine.registry.require("shop", "parent"));
  expect(next).not.toBe(used);
});

test("a fork without rows takes no standby away from those that want them", async () => {
  const id = await untilFollowed();
  const { app, searchPath } = source.record;
  const named = { app, name: parseEnvironmentName("bare"), files: { kind: "kept" } as const };
  await stage.engine.create({ ...named, source, searchPath, data: "none" }, patiently());
  const bare = stage.engine.registry.require("shop", "bare");
  expect(bare.record.id).not.toBe(id);
  expect(await ask(bare, "SELECT to_regclass('moves')")).toEqual([[null]]);
  expect(await untilFollowed()).toBe(id);
  expect((await fork("full")).live.record.id).toBe(id);
});

test("no standby has the user of an environment, nor of another standby", async () => {
  await untilFollowed();
  const forks = await Promise.all(["one", "two"].map(async (name) => fork(name)));
  await untilFollowed();
  const { standbys, registry } = stage.engine;
  const uids = [
    ...registry.list(null).flatMap(({ record }) => record.uid ?? []),
    ...standbys.uids(),
  ];
  expect(new Set(uids).size).toBe(uids.length);
  const isRoot = process.getuid?.() === 0;
  expect(uids.length).toBeGreaterThanOrEqual(isRoot ? forks.length + 2 : 0);
});

test("what a standby costs is measured when somebody asks", async () => {
  const id = await untilFollowed();
  await stage.engine.standbys.measure(null);
  const [standby] = stage.engine.standbys.describe(null).filter((one) => one.id === id);
  expect(standby).toMatchObject({ state: "following" });
  expect(standby?.diskBytes).toBeGreaterThan(10_000_000);
  expect(standby?.memoryBytes).toBeGreaterThan(1_000_000);
  expect(standby?.walBytes).toBeLessThan(64_000_000);
});

test("a standby that died is started again", async () => {
  const id = await untilFollowed();
  const [postmaster] = await stage.marked(id);
  if (postmaster === undefined) throw new Error("It runs.");
  process.kill(postmaster.pid, "SIGQUIT");
  await until(async () => {
    const [again] = await stage.marked(id);
    return again !== undefined && again.pid !== postmaster.pid ? true : undefined;
  });
  expect(await untilFollowed()).toBe(id);
  await ask(source, "INSERT INTO moves VALUES (3)");
  const { live } = await fork("revived");
  expect(await ask(live, "SELECT count(*) FROM moves WHERE n = 3")).toEqual([["1"]]);
});

test("an app on a PostgreSQL of the user's own has standbys on the same, and its forks promote them", async () => {
  const bin = listPostgresBins()[0] ?? (await stage.findOwnPostgres());
  const own = await stage.createApp("own", WEB, bin);
  await ask(own, "CREATE TABLE moves (n int)");
  const id = await untilFollowed(own);
  await ask(own, "INSERT INTO moves VALUES (1)");
  const { live, how } = await fork("own-fork", "own");
  expect(how).toBe("promoted a standby");
  expect(live.record).toMatchObject({ id, database: { postgres: { bin } } });
  expect(await ask(live, "SELECT count(*) FROM moves")).toEqual([["1"]]);
  const asked = "SELECT current_setting('server_version')";
  expect(await ask(live, asked)).toEqual(await ask(own, asked));
  const next = await untilFollowed(own);
  await own.sleep();
  await own.wake();
  expect(await untilFollowed(own)).toBe(next);
  await stage.engine.deleteApp(own.record.app);
  await untilGone(next);
});

test("an app that wants no standby has none, and an app that is deleted leaves none", async () => {
  const none = await stage.createApp("none", { ...WEB, database: { warm: 0 } });
  const other = await stage.createApp("other", WEB);
  const id = await untilFollowed(other);
  expect((await stage.engine.describe(none)).standbys).toEqual([]);
  await stage.engine.delete(other);
  await untilGone(id);
  await stage.engine.delete(none);
  expect(await stage.engine.leftovers()).toEqual([]);
});
