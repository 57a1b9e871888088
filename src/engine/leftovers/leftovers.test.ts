import { mkdir, readdir, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { exists } from "../../base/remove-inside.ts";
import { formatMark, MARK_VARIABLE } from "../../environment/places.ts";
import { isRunning, signalProcess, startDetached } from "../../process/process.ts";
import { createEnvironmentId } from "../home/layout.ts";
import type { LiveEnvironment } from "../live/live-environment.ts";
import { runs, STRANGER, TestEngine, until } from "../test-engine.ts";

let stage: TestEngine;
let live: LiveEnvironment;
const started: number[] = [];

beforeAll(async () => {
  stage = await TestEngine.open();
  live = await stage.createApp("shop", {
    processes: { web: { command: runs("serves.mjs") } },
    database: false,
  });
});
afterAll(async () => {
  for (const pid of started) signalProcess(pid, "SIGKILL");
  await stage.close();
});

/** Something that runs with this mark, as a server that was killed leaves it. */
async function startMarked(mark: string): Promise<number> {
  const launch = {
    file: "sleep",
    args: ["600"],
    folder: "/",
    environment: { PATH: "/usr/bin:/bin", [MARK_VARIABLE]: mark },
    user: null,
  };
  const pid = await startDetached(launch, { output: path.join(stage.folder, "marked.log") });
  started.push(pid);
  return pid;
}

test("nothing of an environment that is there is a leftover, awake or asleep", async () => {
  expect(await stage.engine.leftovers()).toEqual([]);
  await live.sleep();
  expect(await stage.engine.leftovers()).toEqual([]);
  await live.wake();
  expect(await stage.engine.leftovers()).toEqual([]);
});

test("folder, sockets and processes of an environment that is not there are found and mended", async () => {
  const { layout } = stage;
  const id = createEnvironmentId();
  const folders = [layout.folder(id), layout.databaseSockets(id), layout.keeperSockets(id)];
  for (const one of folders) await mkdir(one);
  await writeFile(path.join(layout.folder(id), "database.log"), "");
  const pids = [
    await startMarked(formatMark(layout.home.id, id, "runtime")),
    await startMarked(`${formatMark(layout.home.id, id, "runtime")}.keeper`),
    await startMarked(formatMark(layout.home.id, id, "database")),
  ];

  const found = await stage.engine.leftovers();
  expect(new Set(found.flatMap((one) => one.pid ?? []))).toEqual(new Set(pids));
  expect(new Set(found.flatMap((one) => one.path ?? []))).toEqual(new Set(folders));
  expect(found).toHaveLength(6);
  for (const one of found) expect(id).toContain(one.id.slice(0, 8));

  await stage.engine.fix(found);
  expect(await stage.engine.leftovers()).toEqual([]);
  for (const one of folders) expect(await exists(one)).toBe(false);
  expect(pids.filter(isRunning)).toEqual([]);
  expect(live.state()).toBe("awake");
});

test("processes of another home are neither found nor ended, however alike its id and theirs", async () => {
  const { id } = stage.layout.home;
  const strangers = await Promise.all(
    [`${id}2`, id.slice(0, -1), id.toUpperCase(), `x${id}`].map(async (home) =>
      startMarked(formatMark(home, STRANGER, "runtime")),
    ),
  );
  expect(await stage.engine.leftovers()).toEqual([]);
  await stage.reopen();
  live = stage.engine.registry.require("shop", "development");
  expect(strangers.filter((pid) => !isRunning(pid))).toEqual([]);
});

test("files and sockets of others in the folder of sockets stay", async () => {
  const { sockets } = stage.layout.home;
  const names = ["server.sock", "abcdefg", "abcdefghi", "ABCDEFGH", "abcdefg1", ".nfs000001"];
  for (const name of names) await writeFile(path.join(sockets, name), "");

  expect(await stage.engine.leftovers()).toEqual([]);
  await stage.reopen();
  live = stage.engine.registry.require("shop", "development");
  expect(await readdir(sockets)).toEqual(expect.arrayContaining(names));
});

test("folders of others beside the environments' data stay", async () => {
  const { data } = stage.layout;
  const names = ["lost+found", ".snapshots", "my-notes", "ABCDEFGHIJKLMNOP"];
  for (const name of names) await mkdir(path.join(data, name));

  expect(await stage.engine.leftovers()).toEqual([]);
  await stage.reopen();
  live = stage.engine.registry.require("shop", "development");
  expect(await readdir(data)).toEqual(expect.arrayContaining(names));
});

test("what runs for an environment that sleeps is a leftover, and ending it leaves the environment alone", async () => {
  await live.sleep();
  const mark = formatMark(stage.layout.home.id, live.record.id, "runtime");
  const pid = await startMarked(mark);

  const found = await stage.engine.leftovers();
  expect(found).toEqual([{ kind: "process", id: live.record.id, path: null, pid }]);
  await stage.engine.fix(found);

  expect(isRunning(pid)).toBe(false);
  expect(await exists(stage.layout.logs(live.record.id))).toBe(true);
  await live.wake();
  await until(() => (live.processes()[0]?.state === "ready" ? true : undefined));
});

test("a start clears what has no record, before anything of it is taken up", async () => {
  const id = createEnvironmentId();
  await mkdir(stage.layout.folder(id));
  const pid = await startMarked(formatMark(stage.layout.home.id, id, "database"));

  await stage.reopen();
  live = stage.engine.registry.require("shop", "development");

  expect(isRunning(pid)).toBe(false);
  expect(await exists(stage.layout.folder(id))).toBe(false);
  expect(live.state()).toBe("awake");
});

test("an environment that is being made is no leftover, and one that is given up leaves nothing", async () => {
  const caller = new AbortController();
  const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  stage.checkpoint = async (step) => {
    if (step !== "after prepare") return;
    reach();
    await held;
  };
  const options = { report: () => undefined, signal: caller.signal };
  const making = stage.fork("shop", "agent", options).catch((error: unknown) => error);
  try {
    await reached;
    expect(await stage.engine.leftovers()).toEqual([]);
    expect(await readdir(stage.layout.data)).toHaveLength(2 + 4);

    caller.abort(new Error("The caller has gone."));
  } finally {
    release();
  }
  expect(await making).toMatchObject({ message: "The caller has gone." });
  stage.checkpoint = () => undefined;
  expect(await stage.engine.leftovers()).toEqual([]);
  expect(await readdir(stage.layout.data)).toHaveLength(1 + 4);
});
