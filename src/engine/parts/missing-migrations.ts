import { messageOf } from "../../base/problem.ts";
import { readMigrations } from "../../database/database.ts";
import type { Bookkeeping } from "../../database/database.ts";
import type { MissingMigrations } from "../../environment/environment.ts";
import { keysOfMigration } from "../../environment/migration-name.ts";
import type { LiveEnvironment } from "../live/live-environment.ts";
import { listMigrationFiles } from "./migration-files.ts";
import type { MigrationFile } from "./migration-files.ts";

type Applied = Pick<Bookkeeping, "tool" | "applied">;

/** Files by which these tools know their own folder: it is the one that is meant, also where it has none of the applied. */
const FOLDER_MARKS: Readonly<Record<string, RegExp>> = {
  Prisma: /(?:^|\/)migration(?:_lock\.toml|\.sql)$/,
  Drizzle: /(?:^|\/)_journal\.json$/,
};
/** As long as the time of day by which tools number; shorter ones are given out by several branches. */
const SURE_DIGITS = 10;

/**
 * What was applied to a database and its files lack. Never fails: what cannot be found out is only noted.
 */
export async function findMissingMigrations(
  live: LiveEnvironment,
): Promise<readonly MissingMigrations[]> {
  try {
    const files = await listMigrationFiles(live.record.files.path);
    const keys = new Set(files.flatMap((file) => file.keys));
    const bookkeeping = await live.withDatabase(async (database) =>
      database === null ? [] : readMigrations(database, keys),
    );
    return listMissing(bookkeeping, files);
  } catch (error) {
    live.note(`its migrations could not be looked at: ${messageOf(error)}`);
    return [];
  }
}

/** Those of them that are missing still: a merge may have brought them. */
export async function stillMissing({
  record,
}: LiveEnvironment): Promise<readonly MissingMigrations[]> {
  if (record.missingMigrations.length === 0) return [];
  const files = await listMigrationFiles(record.files.path);
  const keys = new Set(files.flatMap((file) => file.keys));
  return record.missingMigrations
    .map(({ tool, names }) => ({ tool, names: names.filter((name) => !isAnswered(name, keys)) }))
    .filter(({ names }) => names.length > 0);
}

export function listMissing(
  bookkeeping: readonly Applied[],
  files: readonly MigrationFile[],
): readonly MissingMigrations[] {
  const keys = new Set(files.flatMap((file) => file.keys));
  return bookkeeping.flatMap(({ tool, applied }) => {
    const judged = tool === "Django" ? applied.filter((name) => isOfOwnApp(name, files)) : applied;
    const names = judged.filter((name) => !isAnswered(name, keys));
    const isItsFolder = names.length < judged.length || hasMark(tool, files);
    return names.length > 0 && isItsFolder ? [{ tool, names }] : [];
  });
}

function isAnswered(applied: string, keys: ReadonlySet<string>): boolean {
  const [stem = applied, number] = keysOfMigration(applied);
  if (keys.has(stem)) return true;
  if (number === undefined || !keys.has(number)) return false;
  return /^\d+$/.test(stem) || number.length >= SURE_DIGITS;
}

/** Django's own apps, and those of its packages, have their migrations elsewhere. */
function isOfOwnApp(applied: string, files: readonly MigrationFile[]): boolean {
  const [app = ""] = applied.split("/");
  return files.some(
    ({ path }) =>
      path === `${app}/migrations/__init__.py` || path.endsWith(`/${app}/migrations/__init__.py`),
  );
}

function hasMark(tool: string, files: readonly MigrationFile[]): boolean {
  const mark = FOLDER_MARKS[tool];
  return mark !== undefined && files.some(({ path }) => mark.test(path));
}
