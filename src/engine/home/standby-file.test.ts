import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { createFolder, layoutIn, removeFolder, STRANGER } from "../test-engine.ts";
import { createEnvironmentId, makeHome } from "./layout.ts";
import type { Layout } from "./layout.ts";
import { isStandby, readStandbys, useUpStandby, writeStandby } from "./standby-file.ts";
import type { StandbyRecord } from "./standby-file.ts";

let folder: string;
let layout: Layout;

beforeEach(async () => {
  folder = await createFolder();
  layout = layoutIn(folder);
  await makeHome(layout);
});
afterEach(async () => removeFolder(folder));

async function create(uid: number | null = 700_001): Promise<StandbyRecord> {
  const standby = { id: createEnvironmentId(), uid, source: STRANGER };
  await mkdir(layout.folder(standby.id));
  await writeStandby(layout, standby);
  return standby;
}

function byId(a: StandbyRecord, b: StandbyRecord): number {
  return a.id.localeCompare(b.id);
}

test("a standby is there from its file's appearance until it is used up", async () => {
  expect(await readStandbys(layout)).toEqual([]);
  const [one, two] = [await create(), await create(null)];
  expect([...(await readStandbys(layout))].toSorted(byId)).toEqual([one, two].toSorted(byId));
  expect(await isStandby(layout, one.id)).toBe(true);

  await useUpStandby(layout, one.id);
  expect(await isStandby(layout, one.id)).toBe(false);
  expect(await readStandbys(layout)).toEqual([two]);
});

test("to use up what is no standby changes nothing", async () => {
  const standby = await create();
  await useUpStandby(layout, createEnvironmentId());
  expect(await readStandbys(layout)).toEqual([standby]);
});

test("the file is its owner's alone, and holds no password", async () => {
  const { id } = await create();
  const file = path.join(layout.folder(id), "standby.json");
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(Object.keys(JSON.parse(await readFile(file, "utf8")))).toEqual(["id", "uid", "source"]);
});

test.each([
  ["is cut off", "{"],
  ["is empty", ""],
  ["is a list", "[]"],
  ["says too little", '{"id":"abcdefghijklmnop"}'],
  ["names no environment", '{"id":"../../etc","uid":null,"source":"abcdefghijklmnop"}'],
  ["is another's", `{"id":"${STRANGER}","uid":null,"source":"${STRANGER}"}`],
])("a file that %s makes no standby, and keeps no server from starting", async (_what, text) => {
  const { id } = await create();
  await writeFile(path.join(layout.folder(id), "standby.json"), text);
  expect(await readStandbys(layout)).toEqual([]);
});
