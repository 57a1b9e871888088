import type { Client } from "pg";

import { keysOfMigration } from "../../environment/migration-name.ts";
import { quoteName } from "../place/sql.ts";

/** A table of the app's database as it is told from others: by its name and its columns. */
export type Table = {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly string[];
};

/** In which a migration tool writes what it has done: without those rows it would do everything again. */
export type Bookkeeping = {
  readonly oid: number;
  /** As people and SQL say it, such as `public._prisma_migrations`. */
  readonly table: string;
  readonly tool: string;
  /** What the tool calls the migrations that were applied; empty where it does not name them. */
  readonly applied: readonly string[];
};

type Tool = {
  readonly tool: string;
  readonly table: string;
  /** Columns by which it is told from an app's own table of that name. */
  readonly columns: readonly string[];
  /** SQL of one applied migration's name; null where that says nothing. */
  readonly applied: string | null;
  readonly where?: string;
};

/** The one list of them. A tool's locks and settings are its bookkeeping, too. */
const TOOLS: readonly Tool[] = [
  {
    tool: "Prisma",
    table: "_prisma_migrations",
    columns: ["migration_name", "finished_at", "rolled_back_at"],
    applied: "migration_name",
    where: "finished_at IS NOT NULL AND rolled_back_at IS NULL",
  },
  named("Drizzle", "__drizzle_migrations", ["created_at", "hash"]),
  named("Knex", "knex_migrations", ["name", "batch"]),
  silent("Knex", "knex_migrations_lock", ["is_locked"]),
  named("TypeORM", "migrations", ["name", "timestamp"]),
  silent("TypeORM", "typeorm_metadata", ["type", "value"]),
  named("node-pg-migrate", "pgmigrations", ["name", "run_on"]),
  named("Sequelize", "SequelizeMeta", ["name"]),
  named("MikroORM", "mikro_orm_migrations", ["name"]),
  named("Kysely", "kysely_migration", ["name", "timestamp"]),
  silent("Kysely", "kysely_migration_lock", ["is_locked"]),
  {
    tool: "Django",
    table: "django_migrations",
    columns: ["app", "name", "applied"],
    applied: "app || '/' || name",
  },
  silent("Alembic", "alembic_version", ["version_num"]),
  silent("Laravel", "migrations", ["migration", "batch"]),
  silent("golang-migrate", "schema_migrations", ["version", "dirty"]),
  silent("Supabase", "schema_migrations", ["version", "statements"]),
  named("Rails", "schema_migrations", ["version"]),
  silent("Rails", "ar_internal_metadata", ["key", "value"]),
  silent("Flyway", "flyway_schema_history", ["installed_rank"]),
  silent("Liquibase", "databasechangelog", ["md5sum"]),
  silent("Liquibase", "databasechangeloglock", ["locked"]),
  silent("Atlas", "atlas_schema_revisions", ["version"]),
  silent("Goose", "goose_db_version", ["version_id"]),
  silent("Doctrine", "doctrine_migration_versions", ["version"]),
  silent("SQLx", "_sqlx_migrations", ["version", "checksum"]),
  silent("Diesel", "__diesel_schema_migrations", ["version"]),
  silent("SeaORM", "seaql_migrations", ["version"]),
  silent("EF Core", "__EFMigrationsHistory", ["MigrationId"]),
  silent("Payload", "payload_migrations", ["name", "batch"]),
  silent("Strapi", "strapi_migrations", ["name", "time"]),
  silent("Strapi", "strapi_database_schema", ["schema", "hash"]),
  silent("Directus", "directus_migrations", ["version", "name"]),
  silent("Graphile Worker", "migrations", ["id", "ts"]),
  silent("graphile-migrate", "migrations", ["hash", "previous_hash"]),
  silent("pg-boss", "version", ["version", "maintained_on"]),
];

/** What a script of one's own might call its table, and the column that names a file: the best first. */
const PLAIN_TABLE = /migrat|applied|schema_?(?:version|info|history)|changelog/i;
const PLAIN_COLUMNS = [/^(?:file_?)?name$/i, /^(?:file|script|migration)$/i, /^version$/i];
const PLAIN = "its own script";
const MOST_PLAIN_COLUMNS = 6;
const MOST_APPLIED = 10_000;

/**
 * The bookkeeping among the tables. One that no known tool writes is known by what it says: it names one of the
 * app's migrations, of which `keys` are given. To be asked as the app's role: an app's types may run its functions.
 */
export async function readBookkeeping(
  client: Client,
  tables: readonly Table[],
  keys: ReadonlySet<string>,
): Promise<readonly Bookkeeping[]> {
  const found: Bookkeeping[] = [];
  for (const table of tables) {
    const tool = findTool(table);
    const bookkeeping =
      tool === undefined
        ? await readPlain(client, table, keys)
        : { tool: tool.tool, applied: await readApplied(client, table, tool) };
    if (bookkeeping !== undefined)
      found.push({ ...bookkeeping, oid: table.oid, table: `${table.schema}.${table.name}` });
  }
  return found;
}

function findTool({ name, columns }: Pick<Table, "name" | "columns">): Tool | undefined {
  return TOOLS.find(
    (tool) => tool.table === name && tool.columns.every((column) => columns.includes(column)),
  );
}

async function readApplied(client: Client, table: Table, tool: Tool): Promise<readonly string[]> {
  if (tool.applied === null) return [];
  const { where = "true" } = tool;
  return readNames(client, table, { name: tool.applied, where });
}

async function readPlain(
  client: Client,
  table: Table,
  keys: ReadonlySet<string>,
): Promise<Pick<Bookkeeping, "tool" | "applied"> | undefined> {
  if (keys.size === 0 || !PLAIN_TABLE.test(table.name)) return undefined;
  if (table.columns.length > MOST_PLAIN_COLUMNS) return undefined;
  const candidates = PLAIN_COLUMNS.flatMap((pattern) =>
    table.columns.filter((name) => pattern.test(name)),
  );
  for (const column of candidates) {
    const applied = await readNames(client, table, { name: quoteName(column), where: "true" });
    const isNamed = applied.some((name) => keysOfMigration(name).some((key) => keys.has(key)));
    if (isNamed) return { tool: PLAIN, applied };
  }
  return undefined;
}

async function readNames(
  client: Client,
  { schema, name: table }: Table,
  { name, where }: { readonly name: string; readonly where: string },
): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT (${name})::pg_catalog.text AS name FROM ONLY ${quoteName(schema)}.${quoteName(table)}
     WHERE (${where}) AND (${name}) IS NOT NULL ORDER BY 1 LIMIT ${MOST_APPLIED}`,
  );
  return rows.map((row) => row.name);
}

/** `applied`: the column that names a migration. */
function named(
  tool: string,
  table: string,
  [applied, ...others]: readonly [string, ...string[]],
): Tool {
  return { tool, table, columns: [applied, ...others], applied };
}

function silent(tool: string, table: string, columns: readonly string[]): Tool {
  return { tool, table, columns, applied: null };
}
