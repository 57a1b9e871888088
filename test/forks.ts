/** For tests of forks: databases made from SQL, forks of them, and the bytes in their folders. */
import { randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";

import {
  createDatabase,
  forkDatabase,
  queryDatabase,
  stopDatabase,
} from "../src/database/database.ts";
import type { Database } from "../src/database/database.ts";
import type { TestHome } from "../src/database/test-home.ts";

export type Forked = Database & { readonly detail: string };

/** Makes a database and runs SQL in it, as the app's role. */
export async function createFilled(home: TestHome, name: string, sql: string): Promise<Database> {
  const place = await home.createPlace();
  const database = { place, record: await createDatabase(home.postgres, place, name) };
  await ask(database, sql);
  return database;
}

export async function forkFrom(
  home: TestHome,
  source: Database,
  how: Omit<Partial<Parameters<typeof forkDatabase>[2]>, "place">,
): Promise<Forked> {
  const place = await home.createPlace();
  const made = await forkDatabase(home.postgres, source, { maskSql: null, ...how, place });
  return { place, ...made };
}

export async function ask(database: Database, sql: string): Promise<(string | null)[][]> {
  return (await queryDatabase(database, sql)).rows;
}

export async function endAll(...databases: readonly Database[]): Promise<void> {
  for (const { place } of databases) await stopDatabase(place);
}

/** Files of a data folder in which the text stands, byte by byte. */
export async function filesWith(text: string, { place }: Database): Promise<readonly string[]> {
  const entries = await readdir(place.folder, { recursive: true, withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries.filter((one) => one.isFile())) {
    const file = path.join(entry.parentPath, entry.name);
    if ((await readFile(file)).includes(text)) found.push(file);
  }
  return found;
}

/** A text that stands nowhere else, and that no compression makes smaller. */
export function createCanary(): string {
  return `canary${randomBytes(12).toString("hex")}`;
}
