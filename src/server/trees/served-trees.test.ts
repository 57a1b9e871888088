import { mkdir, readdir, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { openAfarStage } from "../../../test/journeys/afar-stage.ts";
import type { AfarStage } from "../../../test/journeys/afar-stage.ts";
import type { Right } from "../../access/access.ts";
import { systemClock, waitFor } from "../../base/clock.ts";
import { Problem } from "../../base/problem.ts";
import { callServer } from "../../cli/connection/client.ts";
import type { RemoteServer } from "../../cli/terminal/context.ts";
import type { CallInput, CallName, CallOutput } from "../../protocol/calls.ts";
import { ServedTrees } from "./served-trees.ts";
import type { Visit } from "./served-trees.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const MINUTE_MS = 60_000;
const LIMIT = { timeoutMs: 10_000 };
const PAIR = "0123456789abcdef";
const KEPT = { app: "shop", environment: "kept", pair: PAIR, visit: "1".repeat(16) };
const PLAN = {
  removals: [],
  puts: [{ path: "link", entry: { kind: "link" as const, target: "notes.txt" } }],
};

let stage: AfarStage;

beforeAll(async () => {
  stage = await openAfarStage();
  await ask("write", "environment.create", {
    app: "shop",
    name: "kept",
    from: ["development"],
    files: { kind: "kept" },
    searchPath: "",
  });
  const { files } = stage.calls.engine.engine.registry.require("shop", "kept").record;
  await writeFile(path.join(files.path, "notes.txt"), "notes\n");
  await mkdir(path.join(files.path, "empty"));
});
afterAll(async () => stage.close());

async function serverFor(right: Right): Promise<RemoteServer> {
  const wanted = { user: "anna", label: null, apps: null, right, lifeMs: DAY_MS };
  const { text: token } = await stage.calls.access.createToken(wanted);
  const trust = { authority: stage.certificate, pinned: null };
  return { url: `https://127.0.0.1:${stage.port}`, token, trust };
}

async function ask<Name extends CallName>(
  right: Right,
  name: Name,
  input: CallInput<Name>,
): Promise<CallOutput<Name> | string> {
  try {
    return await callServer(await serverFor(right), { name, input });
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
}

test("a token to read may look at a tree and read of it what it was told of, and change nothing", async () => {
  expect(await ask("read", "tree.open", KEPT)).toMatchObject({ recovered: [] });
  let reply = await ask("read", "tree.look", { ...KEPT, scope: "all" });
  while (typeof reply !== "string" && reply.kind === "ask")
    reply = await ask("read", "tree.answer", { ...KEPT, ignored: [] });
  expect(reply).toMatchObject({
    kind: "look",
    changes: expect.arrayContaining([
      ["notes.txt", expect.objectContaining({ kind: "file", executable: false })],
      ["empty/", { kind: "folder" }],
    ]),
  });
  const wants = [{ path: "notes.txt", offset: 0 }];
  expect(await ask("read", "tree.read", { ...KEPT, wants })).toMatchObject({
    parts: [{ path: "notes.txt", size: 6, isEnd: true }],
  });
  const batch = { parts: [], packed: "" };
  expect(await ask("read", "tree.stage", { ...KEPT, batch })).toBe("scope_too_small");
  expect(await ask("read", "tree.apply", { ...KEPT, plan: PLAN })).toBe("scope_too_small");
  expect(await ask("read", "tree.arrived", KEPT)).toBe("scope_too_small");
});

test("a token to write changes it, and that is written down", async () => {
  expect(await ask("write", "tree.apply", { ...KEPT, plan: PLAN })).toMatchObject({
    done: [["link", { kind: "link", target: "notes.txt" }]],
    left: [],
  });
  expect(await ask("write", "tree.commit", KEPT)).toEqual({});
  expect(await ask("write", "tree.arrived", KEPT)).toEqual({});
  const calls = (await stage.calls.access.audit.read(100)).map(({ call }) => call);
  expect(calls.filter((call) => call === "tree.apply")).toHaveLength(2);
});

test("a visit that is over, or was never begun, is told so", async () => {
  expect(await ask("write", "tree.close", KEPT)).toEqual({});
  expect(await ask("write", "tree.look", { ...KEPT, scope: "all" })).toBe("visit_unknown");
  const other = { ...KEPT, visit: "2".repeat(16) };
  expect(await ask("write", "tree.apply", { ...other, plan: PLAN })).toBe("visit_unknown");
});

test("a visit to one environment leads to no other", async () => {
  await ask("write", "tree.open", KEPT);
  const elsewhere = { ...KEPT, environment: "development" };
  expect(await ask("write", "tree.look", { ...elsewhere, scope: "all" })).toBe("visit_unknown");
});

test("an environment that runs on a folder of the server's is not reached into", async () => {
  const linked = { ...KEPT, environment: "development" };
  expect(await ask("write", "tree.open", linked)).toBe("files_linked_afar");
});

test.each([
  { ...KEPT, pair: "../../x" },
  { ...KEPT, pair: "0123456789ABCDEF" },
  { ...KEPT, visit: "" },
])("a visit with odd names (%#) is refused", async (visit) => {
  expect(await ask("write", "tree.open", visit)).toBe("input_invalid");
});

function visitOf(index: number): Visit {
  return { ...KEPT, visit: index.toString(16).padStart(16, "0") };
}

test("who was not heard of for longest makes room, and who is heard of stays", async () => {
  const trees = new ServedTrees(stage.calls.engine.engine, systemClock);
  for (let index = 0; index < 64; index += 1) await trees.open(visitOf(index));
  await trees.ask(visitOf(0), nothing);
  await trees.open(visitOf(64));
  expect(await isKnown(trees, visitOf(0))).toBe(true);
  expect(await isKnown(trees, visitOf(1))).toBe(false);
  expect(await isKnown(trees, visitOf(64))).toBe(true);
  await trees.closeAll();
  expect(await isKnown(trees, visitOf(0))).toBe(false);
});

async function nothing(): Promise<void> {
  await Promise.resolve();
}

async function isKnown(trees: ServedTrees, visit: Visit): Promise<boolean> {
  try {
    await trees.ask(visit, nothing);
    return true;
  } catch (error) {
    if (error instanceof Problem && error.code === "visit_unknown") return false;
    throw error;
  }
}

test("what a visitor has sent who was lost is put away after ten minutes of silence, and not before", async () => {
  let nowMs = 0;
  const trees = new ServedTrees(stage.calls.engine.engine, { now: () => nowMs });
  const lost = { ...KEPT, visit: "3".repeat(16) };
  const { files } = stage.calls.engine.engine.registry.require("shop", "kept").record;
  const incoming = path.join(stage.calls.engine.engine.layout.sync(files), `incoming-${PAIR}`);
  await (await trees.open(lost)).open();
  const part = { path: "new.txt", offset: 0, size: 0, isEnd: true };
  await trees.ask(lost, async ({ tree }) => tree.stage({ parts: [part], packed: "" }));
  expect(await readdir(incoming)).toHaveLength(1);
  nowMs = 10 * MINUTE_MS - 1;
  await trees.sweep();
  expect(await readdir(incoming)).toHaveLength(1);
  nowMs += 1;
  await trees.sweep();
  await waitFor(async () => ((await readdir(incoming)).length === 0 ? true : undefined), LIMIT);
  expect(await readdir(incoming)).toEqual([]);
  expect(await isKnown(trees, lost)).toBe(false);
  await trees.closeAll();
});

test("one who is answered for longer than that is not silent", async () => {
  let nowMs = 0;
  const trees = new ServedTrees(stage.calls.engine.engine, { now: () => nowMs });
  const patient = { ...KEPT, visit: "4".repeat(16) };
  await trees.open(patient);
  await trees.ask(patient, async () => {
    nowMs += 60 * MINUTE_MS;
    await trees.sweep();
  });
  nowMs += 9 * MINUTE_MS;
  await trees.sweep();
  expect(await isKnown(trees, patient)).toBe(true);
  await trees.closeAll();
});
