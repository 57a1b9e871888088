import { mkdir } from "node:fs/promises";

import { afterEach, beforeEach, expect, test } from "vitest";

import type { EnvironmentRecord } from "../../environment/environment.ts";
import { parseAppName, parseEnvironmentName } from "../../environment/name.ts";
import { createFolder, layoutIn, removeFolder } from "../test-engine.ts";
import { KeptRecord } from "./kept-record.ts";
import { createEnvironmentId } from "./layout.ts";
import type { Layout } from "./layout.ts";
import { readRecords, writeRecord } from "./records.ts";

let folder: string;
let layout: Layout;

const RECORD: EnvironmentRecord = {
  id: createEnvironmentId(),
  app: parseAppName("shop"),
  name: parseEnvironmentName("agent"),
  parent: null,
  createdAt: "2026-01-01T00:00:00.000Z",
  state: { kind: "awake" },
  files: { kind: "kept", path: "/tmp/agent" },
  database: null,
  generation: 1,
  replaced: null,
  ports: {},
  searchPath: "/usr/bin",
  uid: null,
  setupStamp: null,
  data: "all",
  missingMigrations: [],
  remaining: [],
};

beforeEach(async () => {
  folder = await createFolder();
  layout = layoutIn(folder);
  await mkdir(layout.apps, { recursive: true });
  await writeRecord(layout, RECORD);
});
afterEach(async () => removeFolder(folder));

test("of changes that are saved at one moment none is lost, in memory or on the disk", async () => {
  const kept = new KeptRecord(layout, RECORD);
  const saving = [kept.save({ generation: 2 }), kept.save({ setupStamp: "x" })];
  kept.note({ ports: { web: 4000 } });
  await Promise.all([...saving, kept.save({ state: { kind: "asleep" } })]);
  const all = { generation: 2, setupStamp: "x", ports: { web: 4000 }, state: { kind: "asleep" } };
  expect(kept.value).toMatchObject(all);
  expect(await readRecords(layout)).toMatchObject([all]);
});

test("what is saved of one that is being deleted is not written", async () => {
  const kept = new KeptRecord(layout, RECORD);
  const first = kept.save({ generation: 2 });
  const second = kept.save({ generation: 3 });
  kept.close();
  await Promise.all([first, second]);
  expect(await readRecords(layout)).toMatchObject([{ generation: 1 }]);
});
