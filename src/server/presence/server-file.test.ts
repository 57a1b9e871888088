import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { exists } from "../../base/remove-inside.ts";
import { readServerFile, requireToken, writeServerFile } from "./server-file.ts";

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "ramet-file-"));
  file = path.join(folder, "server.json");
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

const unknown = {
  gatewayPort: null,
  databasePort: null,
  pid: null,
  startedAt: null,
  version: null,
};

test("a home that has no file yet gets an id of its own, which is not written by reading", async () => {
  const ids = await Promise.all([1, 2, 3].map(async () => readServerFile(file)));
  for (const { homeId, ...rest } of ids) {
    expect(homeId).toMatch(/^[a-z0-9]{12}$/);
    expect(rest).toEqual(unknown);
  }
  expect(new Set(ids.map(({ homeId }) => homeId)).size).toBe(3);
  expect(await exists(file)).toBe(false);
});

test("what is recorded is read again, by this user alone", async () => {
  const recorded = {
    homeId: "0123456789ab",
    gatewayPort: 7420,
    databasePort: 7421,
    pid: 4711,
    startedAt: "2026-01-01T00:00:00.000Z",
    version: "0.1.0",
  };
  await writeServerFile(file, recorded);
  expect(await readServerFile(file)).toEqual(recorded);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test.each([
  ["half of it", '{"homeId":"0123'],
  ["nothing", ""],
  ["an id that would match another home's marks", JSON.stringify({ ...unknown, homeId: "" })],
  ["an id with a dot", JSON.stringify({ ...unknown, homeId: "0123.45678" })],
])(
  "a file that holds %s is not taken for a new home, whose processes would be strangers",
  async (_, text) => {
    await writeFile(file, text);
    await expect(readServerFile(file)).rejects.toThrow();
    expect(await readFile(file, "utf8")).toBe(text);
  },
);

test("the token is made once, cannot be guessed, and is this user's alone", async () => {
  const token = path.join(folder, "token");
  const first = await requireToken(token);
  expect(first).toMatch(/^[\w-]{43}$/);
  expect(await requireToken(token)).toBe(first);
  expect((await stat(token)).mode & 0o777).toBe(0o600);
  expect(await requireToken(path.join(folder, "other"))).not.toBe(first);
});

test("a token that a person put there is used as it is, without its line's end", async () => {
  const token = path.join(folder, "token");
  await writeFile(token, "their-own\n");
  expect(await requireToken(token)).toBe("their-own");
});
