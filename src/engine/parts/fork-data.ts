import { createDatabase, forkDatabase, provideExtensions } from "../../database/database.ts";
import type { Database } from "../../database/database.ts";
import type { DatabaseRecord, ForkData, Report } from "../../environment/environment.ts";
import type { ProvidedDatabase } from "../../environment/parts.ts";
import type { DatabasePlace } from "../../environment/places.ts";
import type { LiveEnvironment } from "../live/live-environment.ts";
import type { EngineContext } from "../machine/context.ts";
import { listMigrationFiles } from "./migration-files.ts";

export type ForkDataOptions = {
  readonly place: DatabasePlace;
  readonly data: ForkData;
  readonly maskSql: string | null;
  /** Those that only a superuser may create. */
  readonly extensions: readonly string[];
  /** The tree that the fork runs on, or that its files are copied from. */
  readonly treeFolder: string;
  readonly report: Report;
  /** Those that it is to have; otherwise new ones. */
  readonly passwords?: Pick<DatabaseRecord, "appPassword" | "adminPassword">;
  /** Whether a standby waits at its place, or none does though its source is to have some. */
  readonly standby?: "ready" | "missed" | null;
  readonly onNear?: (record: DatabaseRecord) => void;
};

export const NO_DATABASE: ProvidedDatabase = { record: null, detail: "", fork: null };
const EMPTY = { way: "empty", bytes: null, missed: null } as const;

/**
 * Brings of a source's database what the fork is to have, and leaves the fork's running. Where that is nothing, the
 * source is not even woken, and there is nothing to be masked.
 */
export async function forkData(
  context: EngineContext,
  source: LiveEnvironment,
  options: ForkDataOptions,
): Promise<ProvidedDatabase> {
  const { place, extensions } = options;
  const provided = await bring(context, source, options);
  const { record } = provided;
  if (record !== null) await provideExtensions({ place, record }, extensions);
  return provided;
}

async function bring(
  context: EngineContext,
  source: LiveEnvironment,
  { data, ...options }: ForkDataOptions,
): Promise<ProvidedDatabase> {
  if (data === "none") return createEmpty(context, source, options);
  return source.withDatabase(async (database) => {
    if (database === null) return NO_DATABASE;
    return fork(context, database, { ...options, data, source });
  });
}

async function createEmpty(
  { postgres }: EngineContext,
  source: LiveEnvironment,
  { place, passwords, onNear }: Omit<ForkDataOptions, "data">,
): Promise<ProvidedDatabase> {
  const { database } = source.record;
  if (database === null) return NO_DATABASE;
  const supplied = await postgres.forNew(database.postgres.bin);
  const record = await createDatabase(supplied, place, { name: database.name, ...passwords });
  onNear?.(record);
  return { record, detail: "empty", fork: EMPTY };
}

type ForkOptions = Omit<ForkDataOptions, "data"> & {
  readonly data: "all" | "schema";
  readonly source: LiveEnvironment;
};

async function fork(
  { postgres }: EngineContext,
  database: Database,
  { source, treeFolder, report, ...target }: ForkOptions,
): Promise<ProvidedDatabase> {
  const programs = await postgres.forRecord(database.record);
  const onStage = (words: string): void =>
    report({ part: "database", state: "started", ms: 0, detail: words });
  // Where all comes along, nobody asks which of it is bookkeeping.
  const trees = target.data === "all" ? [] : [source.record.files.path, treeFolder];
  const migrationKeys = new Set((await Promise.all(trees.map(listMigrationKeys))).flat());
  return forkDatabase({ programs }, database, { ...target, migrationKeys, onStage });
}

async function listMigrationKeys(folder: string): Promise<readonly string[]> {
  return (await listMigrationFiles(folder)).flatMap(({ keys }) => keys);
}
