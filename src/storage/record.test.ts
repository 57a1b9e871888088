import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { findPlace, placeIn } from "./place.ts";
import { STORAGE_STATES, readRecord, removeRecord, writeRecord } from "./record.ts";
import { findStorage, formatCommand, openStorage } from "./storage.ts";

const ID = "0123456789abcdef";

let home: string;

beforeEach(async () => {
  home = await realpath(await mkdtemp(path.join(tmpdir(), "ramet-record-")));
  await mkdir(path.join(home, "data", "aaaaaaaaaaaaaaaa"), { recursive: true });
});
afterEach(async () => rm(home, { recursive: true }));

test.each(STORAGE_STATES)("a record that says %j is read as it was written", async (state) => {
  const place = placeIn(home, home);
  await writeRecord(place, { id: ID, state });
  expect(await readRecord(place)).toEqual({ id: ID, state });
  await removeRecord(place);
  expect(await readRecord(place)).toBeNull();
});

test.each([
  "",
  "null",
  "[]",
  "{}",
  JSON.stringify({ id: ID }),
  JSON.stringify({ id: ID, state: "gone" }),
  JSON.stringify({ id: "../../etc", state: "used" }),
])("a record %j is damaged, which is not to have none: nothing is opened", async (text) => {
  await writeFile(path.join(home, "storage.json"), text);
  await expect(openStorage(home, home)).rejects.toMatchObject({ code: "storage_unreadable" });
  await expect(findStorage(home)).rejects.toMatchObject({ code: "storage_unreadable" });
  expect(await readdir(path.join(home, "data"))).toEqual(["aaaaaaaaaaaaaaaa"]);
});

test("a home without storage opens, closes and is abandoned without a word", async () => {
  const storage = await openStorage(home, home);
  await storage.assertMounted();
  await storage.close();
  await storage.abandon();
  expect(await findStorage(home)).toBeNull();
  expect(await readdir(home)).toEqual(["data"]);
});

test.each(["switching", "used", "emptying"] as const)(
  "where %j is recorded and no image is there, nothing is opened and no environment's folder goes",
  async (state) => {
    await writeRecord(placeIn(home, home), { id: ID, state });
    const record = await readFile(path.join(home, "storage.json"), "utf8");
    await expect(openStorage(home, home)).rejects.toMatchObject({
      code: "storage_unmounted",
      message: expect.stringContaining(home),
      remedy: expect.stringContaining(`RAMET_HOME=${home}`),
    });
    const left = await readdir(home, { recursive: true });
    expect(left.map((name) => path.basename(name))).toContain("aaaaaaaaaaaaaaaa");
    expect(JSON.parse(record)).toMatchObject({ id: ID });
    expect(await findStorage(home)).toMatchObject({ mounted: false, usedBytes: null });
  },
);

test("a folder that merely looks like the image's root, of another id, is not taken for it", async () => {
  await writeRecord(placeIn(home, home), { id: ID, state: "used" });
  await writeFile(path.join(home, "data", ".ramet-storage"), "fedcba9876543210");
  expect(await findStorage(home)).toMatchObject({ mounted: false });
  await writeFile(path.join(home, "data", ".ramet-storage"), ID);
  expect(await findStorage(home)).toMatchObject({ mounted: true });
});

test("storage lies where the home has its data: in it, or where its link leads", async () => {
  expect((await findPlace(home)).data).toBe(path.join(home, "data"));
  const elsewhere = path.join(home, "elsewhere");
  await mkdir(elsewhere);
  await symlink(elsewhere, path.join(home, "shared"));
  const place = await findPlace(home);
  expect(place).toMatchObject({
    record: path.join(home, "storage.json"),
    data: path.join(elsewhere, "data"),
    image: path.join(elsewhere, "storage", "image"),
  });
});

test("what root is to type names the home, unless it is root's own", () => {
  expect(formatCommand("/var/lib/ramet", "create")).toBe("sudo ramet server storage create");
  expect(formatCommand("/home/ann/.ramet", "remove")).toBe(
    'sudo RAMET_HOME=/home/ann/.ramet "$(command -v ramet)" server storage remove',
  );
});
