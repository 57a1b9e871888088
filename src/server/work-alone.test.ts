import { mkdtemp, readdir, realpath, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { exists } from "../base/remove-inside.ts";
import { callServer } from "../cli/connection/client.ts";
import { findHome } from "../protocol/home.ts";
import type { Home } from "../protocol/home.ts";
import { workAlone } from "./server.ts";

let folder: string;
let home: Home;

beforeEach(async () => {
  folder = await realpath(await mkdtemp(path.join(tmpdir(), "ramet-alone-")));
  const environment = { RAMET_HOME: folder };
  home = findHome({ environment, uid: process.getuid?.() ?? null, userHome: folder });
});
afterEach(async () => rm(folder, { recursive: true }));

test("while work is done on a home, whoever asks its server is told what is going on", async () => {
  const asked = workAlone(home, async () => {
    const ask = callServer(home, { name: "environment.list", input: { app: null } });
    await expect(ask).rejects.toMatchObject({ code: "storage_moving" });
    return "done";
  });
  expect(await asked).toBe("done");
});

test("two do not work on a home at once: the second is told, and the first goes on", async () => {
  await workAlone(home, async () => {
    await expect(workAlone(home, async () => undefined)).rejects.toMatchObject({
      code: "server_started",
    });
    expect(await exists(home.socket)).toBe(true);
  });
});

test("afterwards, also after a failure, nobody answers and the next may work", async () => {
  const failing = workAlone(home, async () => Promise.reject(new Error("It broke.")));
  await expect(failing).rejects.toThrow("It broke.");
  const ask = callServer(home, { name: "server.status", input: {} });
  await expect(ask).rejects.toMatchObject({ code: "server_not_running" });
  expect(await readdir(folder)).not.toContain("server.lock");
  expect(await workAlone(home, async () => 1)).toBe(1);
});

test("what it leaves belongs to the home's owner, and to nobody else", async () => {
  await workAlone(home, async () => undefined);
  const { uid } = await stat(folder);
  const token = await stat(home.token);
  expect({ uid: token.uid, mode: token.mode & 0o777 }).toEqual({ uid, mode: 0o600 });
});
