import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";

import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";

import { exists } from "../../base/remove-inside.ts";
import type { EnvironmentRecord } from "../../environment/environment.ts";
import { parseAppName, parseEnvironmentName } from "../../environment/name.ts";
import { createFolder, layoutIn, removeFolder } from "../test-engine.ts";
import { createEnvironmentId, makeHome } from "./layout.ts";
import type { Layout } from "./layout.ts";
import {
  findDeletedRecord,
  readApps,
  readRecords,
  removeApp,
  removeRecord,
  writeApp,
  writeRecord,
} from "./records.ts";

const shop = parseAppName("shop");

let folder: string;
let layout: Layout;
beforeEach(async () => {
  folder = await createFolder();
  layout = layoutIn(folder);
  await makeHome(layout);
});
afterEach(async () => removeFolder(folder));

function record(changes: Partial<EnvironmentRecord> = {}): EnvironmentRecord {
  return {
    id: createEnvironmentId(),
    app: shop,
    name: parseEnvironmentName("agent"),
    parent: parseEnvironmentName("development"),
    createdAt: "2026-01-01T00:00:00.000Z",
    state: { kind: "awake" },
    files: { kind: "linked", path: "/home/ann/shop" },
    database: {
      name: "shop",
      appPassword: "one",
      adminPassword: "two",
      postgres: { version: "18.4", bin: null },
    },
    ports: { web: 20_001, $database: 20_002 },
    searchPath: "/usr/bin",
    uid: null,
    setupStamp: "npm ci|abc",
    data: "all",
    missingMigrations: [],
    generation: 1,
    replaced: null,
    remaining: [],
    ...changes,
  };
}

const problem = fc.record({ code: fc.string(), message: fc.string(), remedy: fc.string() });
const state: fc.Arbitrary<EnvironmentRecord["state"]> = fc.oneof(
  fc.constant({ kind: "preparing" } as const),
  fc.constant({ kind: "awake" } as const),
  fc.constant({ kind: "asleep" } as const),
  problem.map((one) => ({ kind: "broken", problem: one }) as const),
);
const anyRecord = fc
  .record({
    state,
    parent: fc.constantFrom(null, parseEnvironmentName("development")),
    files: fc.record({ kind: fc.constantFrom("linked", "kept"), path: fc.string() }),
    database: fc.option(
      fc.record({
        name: fc.string(),
        appPassword: fc.string(),
        adminPassword: fc.string(),
        postgres: fc.record({ version: fc.string(), bin: fc.option(fc.string()) }),
      }),
    ),
    ports: fc.constantFrom({}, { web: 20_001 }, { web: 1, $database: 65_535 }),
    searchPath: fc.string({ unit: "binary" }),
    uid: fc.option(fc.nat()),
    setupStamp: fc.option(fc.string()),
    data: fc.constantFrom("all", "schema", "none"),
    generation: fc.nat(),
    replaced: fc.option(
      fc.record({
        generation: fc.nat(),
        database: fc.record({
          name: fc.string(),
          appPassword: fc.string(),
          adminPassword: fc.string(),
          postgres: fc.record({ version: fc.string(), bin: fc.option(fc.string()) }),
        }),
        remaining: fc.subarray(["setup", "migrate", "seed"] as const),
        replacedAt: fc.string(),
      }),
    ),
    missingMigrations: fc.array(fc.record({ tool: fc.string(), names: fc.array(fc.string()) })),
    remaining: fc.subarray(["setup", "migrate", "seed"] as const),
  })
  .map((changes) => record(changes));

test("a record is read as it was written, whatever stands in it", async () => {
  await fc.assert(
    fc.asyncProperty(anyRecord, async (written) => {
      await writeRecord(layout, written);
      expect(await readRecords(layout)).toEqual([written]);
    }),
    { numRuns: 40 },
  );
});

test("a record, which holds passwords, can be read by its owner alone", async () => {
  const written = record();
  await writeRecord(layout, written);
  const { mode } = await stat(layout.record(written.app, written.name));
  expect(mode & 0o777).toBe(0o600);
});

test.each([
  ["nothing", () => ""],
  ["half of it", (text: string) => text.slice(0, text.length / 2)],
  ["bytes of a lost sector", (text: string) => "\0".repeat(text.length)],
  ["another program's JSON", () => '["a list"]'],
  ["an id that leads elsewhere", (text: string) => text.replace(/"id": "\w+"/, '"id": "../../x"')],
  ["a name that leads elsewhere", (text: string) => text.replace('"agent"', '"../agent"')],
  ["a state of a later version", (text: string) => text.replace('"awake"', '"frozen"')],
  ["a port that is no number", (text: string) => text.replace("20001", '"20001"')],
])(
  "a record that holds %s is a problem that names the file, which stays as it is",
  async (_, damage) => {
    const written = record();
    await writeRecord(layout, written);
    const file = layout.record(written.app, written.name);
    const damaged = damage(await readFile(file, "utf8"));
    await writeFile(file, damaged);

    await expect(readRecords(layout)).rejects.toMatchObject({
      code: "record_unreadable",
      message: expect.stringContaining(file),
    });
    expect(await readFile(file, "utf8")).toBe(damaged);
  },
);

test("an app's file that is damaged is a problem too", async () => {
  await writeApp(layout, { name: shop, folder: "/home/ann/shop", createdAt: "now" });
  await writeFile(layout.appFile(shop), "{}");
  await expect(readApps(layout)).rejects.toMatchObject({ code: "record_unreadable" });
});

test("what others leave in the folders of records is neither read nor removed", async () => {
  const written = record();
  await writeRecord(layout, written);
  const left = [
    path.join(layout.apps, ".DS_Store"),
    path.join(layout.environments(shop), "notes.txt"),
    path.join(layout.environments(shop), ".json~"),
    path.join(layout.environments(shop), "half.json.0a1b2c.tmp"),
  ];
  for (const file of left) await writeFile(file, "not a record");
  await mkdir(path.join(layout.apps, "lost+found"), { mode: 0o700 });

  expect(await readRecords(layout)).toEqual([written]);
  expect(await readApps(layout)).toEqual([]);
  for (const file of left) expect(await readFile(file, "utf8")).toBe("not a record");
});

test("records of all apps are read, and apps without environments too", async () => {
  const blog = parseAppName("blog");
  const records = [record({ app: blog }), record()];
  for (const one of records) await writeRecord(layout, one);
  await writeApp(layout, { name: blog, folder: "/home/ann/blog", createdAt: "now" });
  await writeApp(layout, { name: parseAppName("empty"), folder: "/home/ann/e", createdAt: "now" });

  expect(await readRecords(layout)).toEqual(records);
  expect((await readApps(layout)).map(({ name }) => name)).toEqual(["blog", "empty"]);
});

test("a home in which nothing was ever made holds no records", async () => {
  const none = layoutIn(path.join(folder, "elsewhere"));
  expect(await readRecords(none)).toEqual([]);
  expect(await readApps(none)).toEqual([]);
});

test("a record that is removed waits in its environment's folder for the clearing", async () => {
  const removed = record();
  const stays = record({ name: parseEnvironmentName("other") });
  for (const one of [removed, stays]) {
    await writeRecord(layout, one);
    await mkdir(layout.folder(one.id));
  }
  expect(await findDeletedRecord(layout, removed.id)).toBeUndefined();

  await removeRecord(layout, removed);

  expect(await readRecords(layout)).toEqual([stays]);
  expect(await findDeletedRecord(layout, removed.id)).toEqual(removed);
});

test("removing an app takes away its own file and folders, and leaves what is not its own", async () => {
  await writeApp(layout, { name: shop, folder: "/home/ann/shop", createdAt: "now" });
  const foreign = path.join(layout.environments(shop), "kept.txt");
  await writeFile(foreign, "mine");

  await removeApp(layout, shop);
  expect(await exists(layout.appFile(shop))).toBe(false);
  expect(await readFile(foreign, "utf8")).toBe("mine");

  const blog = parseAppName("blog");
  await writeApp(layout, { name: blog, folder: "/home/ann/blog", createdAt: "now" });
  await removeApp(layout, blog);
  await removeApp(layout, blog);
  expect(await readdir(layout.apps)).toEqual(["shop"]);
});
