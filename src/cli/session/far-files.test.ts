import { randomBytes } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { openAfarStage } from "../../../test/journeys/afar-stage.ts";
import type { AfarStage } from "../../../test/journeys/afar-stage.ts";
import { Relay } from "../../../test/sync/relay.ts";
import type { NewToken } from "../../access/access.ts";
import { waitFor } from "../../base/clock.ts";
import { callServer } from "../connection/client.ts";
import { captureContext, createFolder, removeFolder } from "../fixtures/context.ts";
import type { RemoteServer } from "../terminal/context.ts";
import { compareFiles } from "./compare-files.ts";
import { keepAfar, listTrashAfar, restoreTrashAfar, transferAfar } from "./far-files.ts";
import { Session } from "./session.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const KEPT = { app: "shop", environment: "kept" };
const NOTHING = { flags: new Set<string>(), values: new Map(), positionals: new Map(), rest: [] };

let stage: AfarStage;
let folder: string;

beforeAll(async () => {
  stage = await openAfarStage();
  folder = await createFolder();
  await callServer(serverFor(stage.token), {
    name: "environment.create",
    input: {
      app: "shop",
      name: "kept",
      from: ["development"],
      files: { kind: "kept" },
      searchPath: "",
    },
  });
});
afterAll(async () => {
  await stage.close();
  await removeFolder(folder);
});

function serverFor(token: string, port = stage.port): RemoteServer {
  const trust = { authority: stage.certificate, pinned: null };
  return { url: `https://127.0.0.1:${port}`, token, trust };
}

async function lend(changes: Partial<NewToken> = {}): Promise<{ id: string; text: string }> {
  const wanted = { label: null, apps: null, right: "write", lifeMs: DAY_MS } as const;
  const made = await stage.calls.access.createToken({ user: "anna", ...wanted, ...changes });
  return { id: made.token.id, text: made.text };
}

function sessionWith(token: string, port = stage.port): Session {
  return new Session(captureContext(folder, { remote: serverFor(token, port) }), NOTHING);
}

/** A workspace that holds what the environment does. */
async function openWorkspace(name: string): Promise<string> {
  const workspace = path.join(folder, name);
  await mkdir(workspace);
  await transferAfar(sessionWith(stage.token), { ...KEPT, workspace, force: false }, "pull");
  return workspace;
}

function farFile(name: string): string {
  const { files } = stage.calls.engine.engine.registry.require("shop", "kept").record;
  return path.join(files.path, name);
}

async function readIfThere(file: string): Promise<string | undefined> {
  return readFile(file, "utf8").catch(() => undefined); // It is not there yet.
}

test("a token to read tells what is changed, and pulls; a push with it changes nothing there", async () => {
  const workspace = await openWorkspace("reader");
  const { text } = await lend({ right: "read" });
  await writeFile(farFile("theirs.txt"), "theirs\n");
  await writeFile(path.join(workspace, "ours.txt"), "ours\n");
  expect(await compareFiles(sessionWith(text), { ...KEPT, workspace })).toMatchObject({
    ...KEPT,
    local: ["ours.txt"],
    remote: ["theirs.txt"],
    conflicts: [],
  });
  await rm(path.join(workspace, "ours.txt"));
  const question = { ...KEPT, workspace, force: false };
  expect(await transferAfar(sessionWith(text), question, "pull")).toMatchObject({
    changed: ["theirs.txt"],
  });
  await writeFile(path.join(workspace, "ours.txt"), "ours\n");
  await expect(transferAfar(sessionWith(text), question, "push")).rejects.toMatchObject({
    code: "scope_too_small",
  });
  expect(await readIfThere(farFile("ours.txt"))).toBeUndefined();
  expect(await transferAfar(sessionWith(stage.token), question, "push")).toMatchObject({
    changed: ["ours.txt"],
  });
  expect(await readIfThere(farFile("ours.txt"))).toBe("ours\n");
});

test("what either side has displaced is listed from afar, and goes back to the side where it was", async () => {
  const workspace = await openWorkspace("trash");
  const session = sessionWith(stage.token);
  const question = { ...KEPT, workspace, force: true };
  await writeFile(path.join(workspace, "kept.txt"), "first\n");
  await transferAfar(session, question, "push");
  await writeFile(path.join(workspace, "kept.txt"), "second\n");
  await transferAfar(session, question, "push");
  await writeFile(farFile("kept.txt"), "third\n");
  await transferAfar(session, question, "pull");
  const listed = await listTrashAfar(session, { ...KEPT, workspace });
  expect(listed.map(({ side, path: name, bytes }) => [side, name, bytes])).toEqual([
    ["workspace", "kept.txt", 7],
    ["environment", "kept.txt", 6],
  ]);
  const [here, there] = listed.map(({ id }) => id);
  const restore = async (id = "", token = stage.token): Promise<unknown> =>
    restoreTrashAfar(sessionWith(token), { ...KEPT, workspace, id, paths: [] });
  expect(await restore(here)).toMatchObject({
    restored: [{ side: "workspace", path: "kept.txt" }],
  });
  expect(await readIfThere(path.join(workspace, "kept.txt"))).toBe("second\n");
  const { text: reader } = await lend({ right: "read" });
  await expect(restore(there, reader)).rejects.toMatchObject({ code: "scope_too_small" });
  expect(await readIfThere(farFile("kept.txt"))).toBe("third\n");
  expect(await restore(there)).toMatchObject({ restored: [{ side: "environment" }] });
  expect(await readIfThere(farFile("kept.txt"))).toBe("first\n");
  await expect(restore("2020-01-01T00-00-00.000Z")).rejects.toMatchObject({
    code: "trash_unknown",
  });
});

test("no trash of a folder that is named from afar is listed or put back", async () => {
  const session = sessionWith(stage.token);
  const named = { ...KEPT, workspace: farFile("") };
  const refusal = { code: "owner_only" };
  await expect(session.call("files.trash", named)).rejects.toMatchObject(refusal);
  const wanted = { ...named, id: "2020-01-01T00-00-00.000Z", paths: [] };
  await expect(session.call("files.restore", wanted)).rejects.toMatchObject(refusal);
});

test("an environment on a folder of the server's is neither compared nor changed from afar", async () => {
  const workspace = await openWorkspace("linked");
  const linked = { app: "shop", environment: "development", workspace };
  const refusal = { code: "files_linked_afar" };
  const session = sessionWith(stage.token);
  await expect(compareFiles(session, linked)).rejects.toMatchObject(refusal);
  for (const direction of ["push", "pull"] as const)
    await expect(
      transferAfar(session, { ...linked, force: true }, direction),
    ).rejects.toMatchObject(refusal);
  await expect(
    keepAfar(session, {
      ...linked,
      prefer: "local",
      show: () => undefined,
      signal: new AbortController().signal,
    }),
  ).rejects.toMatchObject(refusal);
});

test.each([
  ["is revoked", "anna", async (id: string) => stage.calls.access.revokeToken(id)],
  ["loses its user", "ben", async () => stage.calls.access.removeUser("ben")],
])("what is kept the same is so no more once its token %s", async (how, user, end) => {
  const workspace = await openWorkspace(how.replaceAll(" ", "-"));
  await stage.calls.access.addUser("ben", false).catch(() => undefined); // He is there already.
  const { id, text } = await lend({ user });
  const over = new AbortController();
  const keeping = { ...KEPT, workspace, prefer: null, show: () => undefined, signal: over.signal };
  const kept = keepAfar(sessionWith(text), keeping).catch((error: unknown) => error);
  await writeFile(path.join(workspace, `${user}.txt`), "before\n");
  const arrived = async (): Promise<true | undefined> =>
    (await readIfThere(farFile(`${user}.txt`))) === "before\n" ? true : undefined;
  expect(await waitFor(arrived, { timeoutMs: 20_000 })).toBe(true);
  await end(id);
  expect(await kept).toMatchObject({ code: "token_refused" });
  await writeFile(path.join(workspace, `${user}.txt`), "after\n");
  const refused = transferAfar(sessionWith(text), { ...KEPT, workspace, force: true }, "push");
  await expect(refused).rejects.toMatchObject({ code: "token_refused" });
  expect(await readIfThere(farFile(`${user}.txt`))).toBe("before\n");
});

test("a look goes by one connection, a push by two, and edits by those that are there already", async () => {
  const workspace = await openWorkspace("few");
  const relay = await Relay.open({ host: "127.0.0.1", port: stage.port });
  const over = new AbortController();
  try {
    await compareFiles(sessionWith(stage.token, relay.port), { ...KEPT, workspace });
    expect(relay.count).toBe(1);
    await writeFile(path.join(workspace, "few.txt"), "0\n");
    const question = { ...KEPT, workspace, force: false };
    await transferAfar(sessionWith(stage.token, relay.port), question, "push");
    // What takes up the files may not be asked twice.
    expect(relay.count - 1).toBe(2);
    const keeping = {
      ...KEPT,
      workspace,
      prefer: null,
      show: () => undefined,
      signal: over.signal,
    };
    const kept = keepAfar(sessionWith(stage.token, relay.port), keeping);
    const arrived = async (text: string): Promise<true | undefined> =>
      (await readIfThere(farFile("few.txt"))) === text ? true : undefined;
    let settled = 0;
    for (const text of ["1\n", "2\n", "3\n", "4\n", "5\n", "6\n", "7\n", "8\n", "9\n", "10\n"]) {
      await writeFile(path.join(workspace, "few.txt"), text);
      expect(await waitFor(async () => arrived(text), { timeoutMs: 20_000 })).toBe(true);
      settled ||= relay.count;
    }
    expect(relay.count - settled).toBeLessThanOrEqual(1);
    over.abort();
    await kept;
  } finally {
    over.abort();
    await relay.close();
  }
});

const LARGE_BYTES = 30 * 1024 * 1024;

test("of 30 MB that were changed in three places little more than these goes by the network, either way", async () => {
  const workspace = await openWorkspace("large");
  const [here, there] = [path.join(workspace, "large.bin"), farFile("large.bin")];
  const relay = await Relay.open({ host: "127.0.0.1", port: stage.port });
  const send = async (direction: "push" | "pull"): Promise<number> => {
    const before = relay.bytes;
    const session = sessionWith(stage.token, relay.port);
    await transferAfar(session, { ...KEPT, workspace, force: false }, direction);
    expect((await readFile(there)).equals(await readFile(here))).toBe(true);
    return relay.bytes - before;
  };
  try {
    const bytes = randomBytes(LARGE_BYTES);
    await writeFile(here, bytes);
    expect(await send("push")).toBeGreaterThan(LARGE_BYTES);
    await writeFile(here, changeSome(bytes));
    expect(await send("push")).toBeLessThan(LARGE_BYTES / 20);
    await writeFile(there, changeSome(bytes));
    expect(await send("pull")).toBeLessThan(LARGE_BYTES / 20);
  } finally {
    await relay.close();
    await rm(there);
  }
}, 60_000);

/** At its beginning, at its end, and between. */
function changeSome(bytes: Buffer): Buffer {
  const middle = bytes.length / 2;
  const [first, second] = [bytes.subarray(1, middle), bytes.subarray(middle, -1)];
  return Buffer.concat([randomBytes(3), first, randomBytes(1_000), second, randomBytes(1)]);
}
