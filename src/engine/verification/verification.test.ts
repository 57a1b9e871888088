import { readdir } from "node:fs/promises";

import { afterEach, describe, expect, test } from "vitest";

import { TOOLS } from "../../../test/programs/sandbox.ts";
import { listProbes } from "../../probes/probes.ts";
import type { Isolation } from "../../runtime/runtime.ts";
import type { LiveEnvironment } from "../live/live-environment.ts";
import { patiently, TestEngine } from "../test-engine.ts";
import type { Tried } from "./verification.ts";

const APP = { processes: { jobs: { command: "exec sleep 600", port: false } }, network: "none" };
/** They get out wherever nothing holds them, whoever runs them; of a machine each has more besides. */
const ALWAYS_OUT = [
  "neighbour-folder",
  "spare-copies",
  "same-owner",
  "process-variables",
  "process-folder",
  "process-signal",
  "process-walk",
  "loopback",
  "datagrams",
  "socket",
  "abstract-socket",
  "socket-list",
  "machine-listeners",
  "machine-name-see",
  "accounts",
  "process-handle",
  "shared-memory",
  "shared-segments",
];
/** Where root runs them. */
const ROOT_OUT = [
  "capabilities",
  "settings",
  "mount",
  "raw-packets",
  "make-device",
  "machine-name-change",
  "file-by-number",
  "process-trace",
  "process-memory-read",
  "passwords",
  "system-write",
];

const ISOLATION: Isolation = TOOLS[0] ?? { kind: "ports", why: "it is a test", remedy: "None." };
/** It does not take less. */
const WHILE_TRYING_MS = 300;

let stage: TestEngine;
afterEach(async () => stage.close());

async function openApp(isolation: Isolation, manifest: object = APP): Promise<LiveEnvironment> {
  stage = await TestEngine.open(undefined, { isolation: async () => isolation });
  return stage.createApp("shop", manifest);
}

async function tryAll(live: LiveEnvironment): Promise<readonly Tried[]> {
  return (await stage.engine.verify(live, patiently())).probes;
}

function leaksOf(tried: readonly Tried[]): readonly string[] {
  return tried
    .filter(({ outcome }) => outcome === "leaked")
    .map(({ id, detail }) => `${id}: ${detail}`);
}

async function expectNothingLeft(live: LiveEnvironment): Promise<void> {
  expect(await stage.engine.leftovers()).toEqual([]);
  expect(await readdir(stage.layout.data)).toEqual([live.record.id]);
  expect(await readdir(live.logs)).not.toContain("ramet-verify.jsonl");
}

describe.each(TOOLS)("sealed off by $tool", (isolation) => {
  test("nothing gets out, of all that is tried, and nothing of it is left", async () => {
    const live = await openApp(isolation);
    const tried = await tryAll(live);

    expect(leaksOf(tried)).toEqual([]);
    expect(tried.map(({ id }) => id)).toEqual(listProbes().map(({ id }) => id));
    expect(tried.filter(({ outcome }) => outcome === "held").length).toBeGreaterThan(90);
    expect(live.state()).toBe("awake");
    await expectNothingLeft(live);
  });
});

test("one that sleeps is tried too, and sleeps again; a person who stops it leaves nothing behind", async () => {
  const live = await openApp(ISOLATION);
  await live.sleep();
  expect(leaksOf(await tryAll(live)).length === 0).toBe(ISOLATION.kind === "isolated");
  expect(live.state()).toBe("asleep");
  expect(await stage.marked()).toEqual([]);
  await expectNothingLeft(live);

  const trying = stage.engine.verify(live, {
    ...patiently(),
    signal: AbortSignal.timeout(WHILE_TRYING_MS),
  });
  await expect(trying).rejects.toThrow("timeout");
  expect(await stage.marked()).toEqual([]);
  await expectNothingLeft(live);
});

test("one whose making is not over is left alone", async () => {
  const live = await openApp(ISOLATION);
  await live.save({ state: { kind: "preparing" } });
  await expect(tryAll(live)).rejects.toMatchObject({ code: "environment_unfinished" });
  expect(live.processes().map(({ state }) => state)).toEqual(["ready"]);
});

test("with isolation switched off the same probes get out, do no harm, and leave nothing", async () => {
  const live = await openApp(ISOLATION, { ...APP, network: "open", isolation: "off" });
  const tried = await tryAll(live);

  const out = tried.filter(({ outcome }) => outcome === "leaked").map(({ id }) => id);
  const isRoot = process.getuid?.() === 0;
  expect(out).toEqual(expect.arrayContaining([...ALWAYS_OUT, ...(isRoot ? ROOT_OUT : [])]));
  expect(out.length).toBeGreaterThan(20);
  await expectNothingLeft(live);
});
