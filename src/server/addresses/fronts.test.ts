import { once } from "node:events";
import { readFile, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import path from "node:path";

import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";

import { systemClock, waitFor } from "../../base/clock.ts";
import type { LiveEnvironment } from "../../engine/live/live-environment.ts";
import { runs, TestEngine } from "../../engine/test-engine.ts";
import { openCertificates } from "../../gateway/gateway.ts";
import { findFreePort } from "../../process/process.ts";
import { Fronts } from "./fronts.ts";

let stage: TestEngine;
let live: LiveEnvironment;
let declared: number;
let fronts: Fronts;

beforeAll(async () => {
  stage = await TestEngine.open();
  declared = await findFreePort();
  live = await stage.createApp("shop", {
    processes: {
      web: { command: runs("serves.mjs") },
      api: { command: runs("serves.mjs"), port: declared },
    },
    database: false,
  });
});
afterAll(async () => stage.close());

beforeEach(() => {
  fronts = openFronts();
});
afterEach(async () => {
  await fronts.takeBack(live.record.id);
  await fronts.close();
});

function openFronts(): Fronts {
  const certificates = openCertificates(path.join(stage.folder, "keys"), systemClock);
  return new Fronts(path.join(stage.folder, "fronts.json"), stage.engine, certificates);
}

/** Its answer's status; 0 where nobody listens. */
async function statusOf(port: number): Promise<number> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/`)).status;
  } catch {
    // Refused, as the test expects it or not.
    return 0;
  }
}

async function squat(port: number): Promise<() => Promise<void>> {
  const server = createServer();
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return async () => {
    server.close();
    await once(server, "close");
  };
}

test("without a port the declared ones lead there, each to its own process", async () => {
  await fronts.lead(live, null);
  expect(fronts.list(live.record.id)).toEqual([{ port: declared, process: "api" }]);
  expect(await statusOf(declared)).toBe(200);
  await fronts.takeBack(live.record.id);
  expect(await statusOf(declared)).toBe(0);
});

test("a port that is said leads to the main process, beside those that lead there already", async () => {
  const port = await findFreePort();
  await fronts.lead(live, null);
  await fronts.lead(live, port);
  expect(fronts.list(live.record.id)).toEqual([
    { port: declared, process: "api" },
    { port, process: "web" },
  ]);
  expect(await statusOf(port)).toBe(200);
});

test("what was led is written down for the owner alone, and taken up by the next server", async () => {
  const port = await findFreePort();
  await fronts.lead(live, port);
  const file = path.join(stage.folder, "fronts.json");
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(JSON.parse(await readFile(file, "utf8"))).toEqual([
    { port, id: live.record.id, process: "web" },
  ]);
  await fronts.close();
  expect(await statusOf(port)).toBe(0);
  fronts = openFronts();
  await fronts.start();
  expect(await statusOf(port)).toBe(200);
});

test("a port that is taken changes nothing, also where another of the same environment was free", async () => {
  const release = await squat(declared);
  await expect(fronts.lead(live, null)).rejects.toMatchObject({ code: "front_port_taken" });
  expect(fronts.list(live.record.id)).toEqual([]);
  expect(fronts.problems(live.record.id)).toEqual([]);
  await release();
  expect(await statusOf(declared)).toBe(0);
});

test("one that is taken while the server was away is a problem until it is free again", async () => {
  const port = await findFreePort();
  await fronts.lead(live, port);
  await fronts.close();
  const release = await squat(port);
  fronts = openFronts();
  await fronts.start();
  expect(fronts.problems(live.record.id)).toMatchObject([{ code: "front_port_taken" }]);
  await release();
  const isFree = (): true | undefined =>
    fronts.problems(live.record.id).length === 0 ? true : undefined;
  expect(await waitFor(isFree, { timeoutMs: 20_000 })).toBe(true);
  expect(await statusOf(port)).toBe(200);
});

test("what leads to an environment that is gone is forgotten, and so is a damaged file", async () => {
  const file = path.join(stage.folder, "fronts.json");
  const port = await findFreePort();
  await writeFile(file, JSON.stringify([{ port, id: "aaaaaaaaaaaaaaaa", process: "web" }]));
  await fronts.start();
  expect(JSON.parse(await readFile(file, "utf8"))).toEqual([]);
  expect(await statusOf(port)).toBe(0);
  await fronts.close();
  for (const damaged of ["{", '[{"port":0}]', "null"]) {
    await writeFile(file, damaged);
    fronts = openFronts();
    await fronts.start();
    expect(fronts.list(live.record.id)).toEqual([]);
    await fronts.close();
  }
});

test("an environment whose processes declare none is told to say one", async () => {
  const plain = await stage.createApp("plain", {
    processes: { web: { command: runs("serves.mjs") } },
    database: false,
  });
  await expect(fronts.lead(plain, null)).rejects.toMatchObject({ code: "front_port_missing" });
});
