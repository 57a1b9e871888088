import { rename } from "node:fs/promises";

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import type { LiveEnvironment } from "../../engine/live/live-environment.ts";
import { runs, TestEngine, until } from "../../engine/test-engine.ts";
import type { TargetState } from "../../gateway/gateway.ts";
import { findTarget, findWireRoute } from "./routes.ts";

const HOST = "shop--development.localhost";

let stage: TestEngine;
let live: LiveEnvironment;

beforeAll(async () => {
  stage = await TestEngine.open();
  live = await stage.createApp("shop", {
    processes: {
      jobs: { command: "sleep 600", port: false },
      web: { command: runs("serves.mjs") },
      api: { command: runs("serves.mjs") },
    },
  });
});
afterAll(async () => stage.close());

beforeEach(async () => {
  await live.wake();
  await until(() => (stateOf().kind === "ready" ? true : undefined));
});

function stateOf(host = HOST): TargetState {
  const target = findTarget(stage.engine, host);
  if (target === undefined) throw new Error(`${host} leads nowhere.`);
  return target.state();
}

test.each([
  "localhost",
  "127.0.0.1",
  "shop.localhost",
  "development.localhost",
  "shop--development",
  "shop--development.example.com",
  "shop--other.localhost",
  "shop--developmen.localhost",
  "other--development.localhost",
  "shop--development--x.localhost",
  "a.b.shop--development.localhost",
  "--development.localhost",
  "",
])("the host %j leads nowhere, rather than to some other environment", (host) => {
  expect(findTarget(stage.engine, host)).toBeUndefined();
});

test("the environment's own host leads to the first process that has a port", () => {
  const port = live.record.ports["web"];
  expect(stateOf()).toEqual({ kind: "ready", port, inlet: null });
  expect(stateOf("SHOP--Development.LOCALHOST")).toEqual({ kind: "ready", port, inlet: null });
  expect(findTarget(stage.engine, HOST)?.label).toBe("shop--development");
});

test("a process that is named has a host of its own, and one that is not has none", async () => {
  await until(() => (stateOf(`api.${HOST}`).kind === "ready" ? true : undefined));
  expect(stateOf(`api.${HOST}`)).toEqual({
    kind: "ready",
    port: live.record.ports["api"],
    inlet: null,
  });
  expect(live.record.ports["api"]).not.toBe(live.record.ports["web"]);
  expect(findTarget(stage.engine, `nobody.${HOST}`)).toBeUndefined();
});

test("a process without a port is never sent a request", () => {
  expect(stateOf(`jobs.${HOST}`)).not.toMatchObject({ kind: "ready" });
});

test("one that sleeps is woken by its target, which tells that something has changed", async () => {
  await live.sleep();
  const target = findTarget(stage.engine, HOST);
  expect(target?.state()).toEqual({ kind: "asleep" });

  const changed = target?.changed(AbortSignal.timeout(40_000));
  target?.wake();
  await changed;
  expect(target?.state()).not.toEqual({ kind: "asleep" });
  await until(() => (target?.state().kind === "ready" ? true : undefined));
});

test("nobody waits for a change longer than he likes", async () => {
  const target = findTarget(stage.engine, HOST);
  await expect(target?.changed(AbortSignal.abort())).resolves.toBeUndefined();
  const waiting = new AbortController();
  const changed = target?.changed(waiting.signal);
  waiting.abort();
  await expect(changed).resolves.toBeUndefined();
});

test("a wake that fails makes it unavailable, with the reason", async () => {
  const tree = live.record.files.path;
  await live.sleep();
  await rename(tree, `${tree}-away`);
  try {
    findTarget(stage.engine, HOST)?.wake();
    await until(() => (stateOf().kind === "unavailable" ? true : undefined));
    expect(stateOf()).toMatchObject({ problem: { code: "files_missing" } });
    expect(stage.log.join("\n")).toContain("could not be woken");
  } finally {
    await rename(`${tree}-away`, tree);
  }
});

test("one whose setup failed is unavailable, with its problem, and is not woken", async () => {
  const manifest = { setup: "exit 3", processes: { web: { command: "true" } }, database: false };
  await stage.createApp("broken", manifest).catch((error: unknown) => error);
  const target = findTarget(stage.engine, "broken--development.localhost");
  expect(target?.state()).toMatchObject({ kind: "unavailable", problem: { code: "setup_failed" } });
  target?.wake();
  expect(target?.state()).toMatchObject({ kind: "unavailable" });
});

test("one that crashes at once says so to whoever asks", async () => {
  const web = { command: "echo no module; exit 1" };
  await stage.createApp("crash", { processes: { web }, database: false });
  const host = "crash--development.localhost";
  await until(() => (stateOf(host).kind === "unavailable" ? true : undefined));
  expect(stateOf(host)).toMatchObject({
    problem: { code: "process_exited", message: expect.stringContaining("no module") },
  });
});

test("one that has no process with a port is unavailable, and says what to do", async () => {
  await stage.createApp("worker", {
    processes: { jobs: { command: "sleep 600", port: false } },
    database: false,
  });
  await until(() =>
    stateOf("worker--development.localhost").kind === "unavailable" ? true : undefined,
  );
  expect(stateOf("worker--development.localhost")).toMatchObject({
    problem: { code: "process_none" },
  });
  expect(
    findWireRoute(stage.engine, stage.engine.registry.require("worker", "development").record.id),
  ).toBeUndefined();
});

test("a database is found by its environment's whole id alone", async () => {
  const { id } = live.record;
  for (const user of [
    "",
    "shop",
    "development",
    id.slice(0, 8),
    `${id}x`,
    id.toUpperCase(),
    "postgres",
  ])
    expect(findWireRoute(stage.engine, user)).toBeUndefined();

  const opened = await findWireRoute(stage.engine, id)?.open(AbortSignal.timeout(40_000));
  expect(opened).toEqual({
    socket: `${stage.layout.databaseSockets(id)}/.s.PGSQL.5432`,
    database: "shop",
  });
});

test("a client of a sleeping environment's database wakes the whole of it", async () => {
  await live.sleep();
  await findWireRoute(stage.engine, live.record.id)?.open(AbortSignal.timeout(40_000));
  expect(live.state()).toBe("awake");
});

test("what its process printed since it was last started is there for whoever finds that it does not answer", async () => {
  const target = findTarget(stage.engine, HOST);
  await live.restartProcess("web");
  await until(() => (stateOf().kind === "ready" ? true : undefined));
  const texts = ((await target?.lastLines()) ?? []).map(({ text }) => text);
  expect(texts[0]).toMatch(/^starts: /);
  expect(texts.filter((text) => text.startsWith("starts: "))).toHaveLength(1);
  expect(await findTarget(stage.engine, `jobs.${HOST}`)?.lastLines()).not.toEqual([]);
});

test("an answer that shows something to be wrong is among its problems until a good one comes", () => {
  const target = findTarget(stage.engine, HOST);
  const problem = { code: "host_blocked", message: "It refuses.", remedy: "Let it not." };
  target?.report(problem);
  expect(live.problems()).toEqual([problem]);
  expect(stateOf().kind).toBe("ready");
  findTarget(stage.engine, `api.${HOST}`)?.report(null);
  expect(live.problems()).toEqual([problem]);
  target?.report(null);
  expect(live.problems()).toEqual([]);
});

test("below a domain of the user's own the same environments are found, and nobody else", () => {
  const find = (host: string): string | undefined =>
    findTarget(stage.engine, host, "dev.example.com")?.label;
  expect(find("shop--development.dev.example.com")).toBe("shop--development");
  expect(find("shop--development--api.dev.example.com")).toBe("api.shop--development");
  expect(find(HOST)).toBe("shop--development");
  expect(find("shop--other.dev.example.com")).toBeUndefined();
  expect(find("shop--development--nobody.dev.example.com")).toBeUndefined();
  expect(findTarget(stage.engine, "shop--development.dev.example.com")).toBeUndefined();
});
