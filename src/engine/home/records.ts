import { mkdir, readdir, readFile, rename, rm, rmdir } from "node:fs/promises";
import path from "node:path";

import { z } from "zod";

import { hasErrorCode } from "../../base/problem.ts";
import { syncFolder, writeAtomically } from "../../base/write-atomically.ts";
import { FORK_DATA, isEnvironmentId, PREPARATION_STEPS } from "../../environment/environment.ts";
import type { EnvironmentId, EnvironmentRecord } from "../../environment/environment.ts";
import { parseAppName, parseEnvironmentName } from "../../environment/name.ts";
import type { AppName } from "../../environment/name.ts";
import type { Layout } from "./layout.ts";
import { recordUnreadable } from "./problems.ts";

/** What is known of an app besides its environments. */
export type AppRecord = {
  readonly name: AppName;
  readonly folder: string;
  readonly createdAt: string;
};

/** Where a deleted environment's record waits until its folder is cleared. */
const DELETED = "deleted.json";

/** Of a record that does not say it: there was no other. */
const FIRST_POSTGRES = { version: "18", bin: null };

const appName = z.string().transform(parseAppName);
const environmentName = z.string().transform(parseEnvironmentName);
const problem = z.object({ code: z.string(), message: z.string(), remedy: z.string() });

const databaseSchema = z.object({
  name: z.string(),
  appPassword: z.string(),
  adminPassword: z.string(),
  postgres: z.object({ version: z.string(), bin: z.string().nullable() }).default(FIRST_POSTGRES),
});

const recordSchema = z.object({
  id: z.custom<EnvironmentId>((value) => typeof value === "string" && isEnvironmentId(value)),
  app: appName,
  name: environmentName,
  parent: environmentName.nullable(),
  createdAt: z.string(),
  usedAt: z.string().exactOptional(),
  state: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("preparing") }),
    z.object({ kind: z.literal("awake") }),
    z.object({ kind: z.literal("asleep") }),
    z.object({ kind: z.literal("broken"), problem }),
  ]),
  files: z.object({ kind: z.enum(["linked", "kept"]), path: z.string() }),
  database: databaseSchema.nullable(),
  generation: z.number().default(1),
  replaced: z
    .object({
      generation: z.number(),
      database: databaseSchema,
      remaining: z.array(z.enum(PREPARATION_STEPS)),
      replacedAt: z.string(),
    })
    .nullable()
    .default(null),
  ports: z.record(z.string(), z.number()),
  searchPath: z.string(),
  uid: z.number().nullable(),
  setupStamp: z.string().nullable(),
  data: z.enum(FORK_DATA).default("all"),
  missingMigrations: z
    .array(z.object({ tool: z.string(), names: z.array(z.string()) }))
    .default([]),
  remaining: z.array(z.enum(PREPARATION_STEPS)),
});

const appSchema = z.object({ name: appName, folder: z.string(), createdAt: z.string() });

/** @throws `record_unreadable` for a file that is damaged: it is left as it is. */
export async function readRecords(layout: Layout): Promise<readonly EnvironmentRecord[]> {
  const records: EnvironmentRecord[] = [];
  for (const app of await listNames(layout.apps)) {
    const folder = path.join(layout.apps, app, "environments");
    for (const file of await listNames(folder)) {
      if (file.endsWith(".json"))
        records.push(await readParsed(path.join(folder, file), recordSchema));
    }
  }
  return records;
}

export async function readApps(layout: Layout): Promise<readonly AppRecord[]> {
  const apps: AppRecord[] = [];
  for (const app of await listNames(layout.apps)) {
    const file = path.join(layout.apps, app, "app.json");
    if ((await listNames(path.dirname(file))).includes("app.json"))
      apps.push(await readParsed(file, appSchema));
  }
  return apps;
}

export async function writeApp(layout: Layout, app: AppRecord): Promise<void> {
  await mkdir(layout.environments(app.name), { recursive: true, mode: 0o700 });
  await writeAtomically(layout.appFile(app.name), formatJson(app));
}

/** Only of an app without environments. */
export async function removeApp(layout: Layout, app: AppName): Promise<void> {
  await rm(layout.appFile(app), { force: true });
  await removeEmptyFolder(layout.environments(app));
  await removeEmptyFolder(layout.app(app));
}

export async function writeRecord(layout: Layout, record: EnvironmentRecord): Promise<void> {
  await mkdir(layout.environments(record.app), { recursive: true, mode: 0o700 });
  await writeAtomically(layout.record(record.app, record.name), formatJson(record));
}

/** Renames the record into the environment's own folder: from this instant the environment is not there. */
export async function removeRecord(layout: Layout, record: EnvironmentRecord): Promise<void> {
  await rename(
    layout.record(record.app, record.name),
    path.join(layout.folder(record.id), DELETED),
  );
  await syncFolder(layout.environments(record.app));
}

/** The record of an environment that is being deleted; undefined for one that was never committed. */
export async function findDeletedRecord(
  layout: Layout,
  id: EnvironmentId,
): Promise<EnvironmentRecord | undefined> {
  const names = await listNames(layout.folder(id));
  return names.includes(DELETED)
    ? readParsed(path.join(layout.folder(id), DELETED), recordSchema)
    : undefined;
}

/** The folders below `data/`, of whatever state. */
export async function listDataFolders(layout: Layout): Promise<readonly string[]> {
  return listNames(layout.data);
}

async function listNames(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).toSorted();
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR")) return [];
    throw error;
  }
}

async function readParsed<T>(file: string, schema: z.ZodType<T>): Promise<T> {
  const text = await readFile(file, "utf8");
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw recordUnreadable(file, error);
  }
}

async function removeEmptyFolder(folder: string): Promise<void> {
  try {
    await rmdir(folder);
  } catch (error) {
    if (!hasErrorCode(error, "ENOENT", "ENOTEMPTY")) throw error;
  }
}

function formatJson(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
