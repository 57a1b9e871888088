import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";

import { openAfarStage } from "../../../test/journeys/afar-stage.ts";
import type { AfarStage } from "../../../test/journeys/afar-stage.ts";
import { Relay } from "../../../test/sync/relay.ts";
import { waitFor } from "../../base/clock.ts";
import { Problem } from "../../base/problem.ts";
import type { CallInput, CallName, CallOutput } from "../../protocol/calls.ts";
import { packBatch } from "../../sync/far/batch.ts";
import type { RemoteServer } from "../terminal/context.ts";
import { callServer } from "./client.ts";

const VISIT = { app: "shop", environment: "kept", pair: "a".repeat(16), visit: "b".repeat(16) };
const LIST = { name: "app.list", input: {} } as const;

let stage: AfarStage;
let relay: Relay;
let server: RemoteServer;

beforeAll(async () => {
  stage = await openAfarStage();
  const input = { app: "shop", name: "kept", from: ["development"], searchPath: "" };
  await callServer(loginTo(stage.port), {
    name: "environment.create",
    input: { ...input, files: { kind: "kept" } },
  });
});
afterAll(async () => stage.close());
beforeEach(async () => {
  relay = await Relay.open({ host: "127.0.0.1", port: stage.port });
  server = loginTo(relay.port);
});
afterEach(async () => {
  vi.useRealTimers();
  await relay.close();
});

function loginTo(port: number, token = stage.token): RemoteServer {
  const trust = { authority: stage.certificate, pinned: null };
  return { url: `https://127.0.0.1:${port}`, token, trust };
}

async function ask<Name extends CallName>(
  name: Name,
  input: CallInput<Name>,
): Promise<CallOutput<Name> | string> {
  try {
    return await callServer(server, { name, input });
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
}

test("calls that follow each other go by one connection, also after one that was refused", async () => {
  for (let count = 0; count < 5; count += 1) await callServer(server, LIST);
  expect(await ask("environment.show", { app: "shop", environment: "nowhere" })).toBe(
    "environment_unknown",
  );
  await callServer(server, LIST);
  expect(relay.count).toBe(1);
});

test("what is asked at once goes by several, and another login's by none of them", async () => {
  await Promise.all([callServer(server, LIST), callServer(server, LIST)]);
  await Promise.all([callServer(server, LIST), callServer(server, LIST)]);
  expect(relay.count).toBe(2);
  await callServer(loginTo(relay.port), LIST);
  expect(relay.count).toBe(3);
});

test("two that are asked at once, where one connection is idle, do not both wait for that one", async () => {
  await callServer(server, LIST);
  await Promise.all([callServer(server, LIST), callServer(server, LIST)]);
  expect(relay.count).toBe(2);
});

test("what may not be asked twice goes by a connection of its own", async () => {
  await callServer(server, LIST);
  expect(await ask("environment.stop", { app: "shop", environment: "nowhere" })).toBe(
    "environment_unknown",
  );
  expect(relay.count).toBe(2);
});

test("a connection that was torn meanwhile is no failure: what it was to carry goes by another", async () => {
  await callServer(server, LIST);
  relay.cut("reset");
  relay.mend();
  expect(await ask("app.list", {})).toMatchObject([{ name: "shop" }]);
  expect(relay.count).toBe(2);
});

test("of a machine that has slept, no connection is believed to be there still", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  await callServer(server, LIST);
  vi.setSystemTime(Date.now() + 60_000);
  await callServer(server, LIST);
  expect(relay.count).toBe(2);
});

test("a token that is revoked opens nothing any more, by a connection that it had opened either", async () => {
  const wanted = { user: "anna", label: null, apps: null, right: "read", lifeMs: 60_000 } as const;
  const { token, text } = await stage.calls.access.createToken(wanted);
  server = loginTo(relay.port, text);
  await callServer(server, LIST);
  await stage.calls.access.revokeToken(token.id);
  expect(await ask("app.list", {})).toBe("token_refused");
  expect(relay.count).toBe(1);
});

test("a server that leaves waits for no connection that is kept", async () => {
  const listener = await stage.open({});
  server = loginTo(listener.port);
  await callServer(server, LIST);
  await listener.close();
  expect(await ask("app.list", {})).toBe("server_unreachable");
});

test.each([
  ["with its number, is answered as it was, and written down once", { turn: 9 }, { left: [] }],
  ["without a number, it would be done twice", {}, { left: [["again.txt", expect.anything()]] }],
])("a plan whose answer was lost, asked again %s", async (_, numbered, applied) => {
  const isNumbered = "turn" in numbered;
  const folder = stage.calls.engine.engine.registry.require("shop", "kept").record.files.path;
  const name = isNumbered ? "made.txt" : "again.txt";
  const text = `made ${name}\n`;
  const hash = createHash("sha256").update(text).digest("hex");
  const noted = async (): Promise<number> => {
    const entries = await stage.calls.access.audit.read(1_000);
    return entries.filter(({ call }) => call === "tree.apply").length;
  };
  const before = await noted();
  await ask("tree.open", VISIT);
  const bytes = Buffer.from(text);
  const { parts, packed } = await packBatch([{ path: name, offset: 0, bytes, isEnd: true }]);
  await ask("tree.stage", { ...VISIT, batch: { parts: [...parts], packed } });
  relay.cut("swallow-answers");
  const entry = { kind: "file", hash, executable: false } as const;
  const asked = ask("tree.apply", {
    ...VISIT,
    ...numbered,
    plan: { removals: [], puts: [{ path: name, entry }] },
  });
  const isThere = async (): Promise<true | undefined> =>
    (await readFile(path.join(folder, name), "utf8").catch(() => "")) === text ? true : undefined;
  expect(await waitFor(isThere, { timeoutMs: 20_000 })).toBe(true);
  relay.mend();
  expect(await asked).toMatchObject(applied);
  expect((await noted()) - before).toBe(isNumbered ? 1 : 2);
});
