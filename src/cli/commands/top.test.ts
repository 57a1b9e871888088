import { PassThrough } from "node:stream";

import { afterEach, beforeEach, expect, test } from "vitest";

import { waitFor } from "../../base/clock.ts";
import { runCli } from "../cli.ts";
import { createWorld } from "../fixtures/world.ts";
import type { World } from "../fixtures/world.ts";

const USE = {
  id: "abcdefghijklmnop",
  app: "shop",
  name: "agent",
  state: "frozen",
  cpu: 0,
  memoryBytes: 90_000_000,
  processes: 9,
  requestsPerSecond: 0,
  pressure: null,
  databaseBytes: 7_000_000,
  connections: 2,
  usedAt: "2026-01-01T00:00:00.000Z",
};

let world: World;

beforeEach(async () => {
  world = await createWorld();
  await world.bind();
});
afterEach(() => world.close());

test("without a terminal it is shown once; --json is the list itself", async () => {
  await world.serve({ "environment.use": [USE] });
  const { out, exitCode } = await world.ramet(["top"]);
  expect(exitCode).toBe(0);
  expect(out).toContain("1 frozen: – of a processor, 90 MB of memory\n");
  expect(out).toMatch(/◍ agent +frozen +– +90 MB/);
  expect(await world.json(["top"])).toEqual([USE]);
  expect(await world.json(["top", "--once", "--all"])).toEqual([USE]);
});

test("of all apps the app is named beside the environment", async () => {
  await world.serve({ "environment.use": [USE, { ...USE, app: "desk" }] });
  const { out } = await world.ramet(["top", "--all"]);
  expect(out).toContain("shop/agent");
  expect(out).toContain("desk/agent");
});

test("where there is no environment that is said, and no table is drawn", async () => {
  await world.serve({ "environment.use": [] });
  expect((await world.ramet(["top"])).out).toBe("There is no environment yet.\n");
  expect(await world.json(["top"])).toEqual([]);
});

test("--all and --app are one too many", async () => {
  const { err, exitCode } = await world.ramet(["top", "--all", "--app", "shop"]);
  expect(exitCode).toBe(2);
  expect(err).toContain("--all");
});

test("at a terminal it is drawn until q, and leaves nothing behind", async () => {
  await world.serve({ "environment.use": [USE] });
  const keys = new PassThrough();
  let text = "";
  const context = world.contextAt();
  const stdout = {
    isTerminal: true,
    columns: 60,
    rows: 10,
    write: (more: string) => {
      text += more;
    },
  };
  const ended = runCli(["top"], {
    ...context,
    stdout,
    stdin: { isTerminal: true, open: () => keys },
  });
  const isDrawn = (): true | undefined => text.includes("agent") || undefined;
  expect(await waitFor(isDrawn, { timeoutMs: 20_000 })).toBe(true);
  keys.write("q");
  expect(await ended).toBe(0);
  expect(text.slice(text.lastIndexOf("[?1049l"))).not.toContain("agent");
});
