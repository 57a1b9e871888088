import type { Client } from "pg";

import { messageOf } from "../../base/problem.ts";
import { emptyingFailed } from "../place/problems.ts";
import { readBookkeeping } from "../statements/bookkeeping.ts";
import type { Bookkeeping } from "../statements/bookkeeping.ts";
import { readCatalog } from "../statements/catalog.ts";
import type { CatalogTrigger } from "../statements/catalog.ts";
import { isSqlError } from "../statements/client.ts";
import { planEmptying } from "./emptying-plan.ts";

export type Emptied = { readonly tables: number; readonly kept: readonly Bookkeeping[] };

/** Large objects are locked one by one as they go. */
const OBJECTS_AT_ONCE = 1_000;

/**
 * Removes all rows of the app's database but a migration tool's own, as the app's role: what the app wrote, such as a
 * view's functions, never runs as superuser. Nothing of the app's is told: no trigger is fired.
 * @throws `database_emptying_failed`
 */
export async function emptyDatabase(
  app: Client,
  migrationKeys: ReadonlySet<string>,
): Promise<Emptied> {
  try {
    await app.query("SET search_path = pg_catalog");
    const catalog = await readCatalog(app);
    const kept = await readBookkeeping(app, catalog.tables, migrationKeys);
    const plan = planEmptying(catalog, new Set(kept.map(({ oid }) => oid)));
    await silencing(app, catalog.triggers, async () => {
      for (const group of plan.groups) await app.query(`TRUNCATE ${group.join(", ")}`);
    });
    for (const sequence of plan.sequences) await app.query(`ALTER SEQUENCE ${sequence} RESTART`);
    await removeLargeObjects(app);
    await refillViews(app, catalog.views);
    const tables = catalog.tables.filter(({ oid, family }) => oid === family);
    return { tables: tables.length - kept.length, kept };
  } catch (error) {
    throw isSqlError(error) ? emptyingFailed(messageOf(error)) : error;
  }
}

async function silencing(
  app: Client,
  triggers: readonly CatalogTrigger[],
  work: () => Promise<void>,
): Promise<void> {
  for (const { table, name } of triggers)
    await app.query(`ALTER TABLE ${table} DISABLE TRIGGER ${name}`);
  await work();
  for (const { table, name, mode } of triggers)
    await app.query(`ALTER TABLE ${table} ENABLE ${ENABLED[mode]} TRIGGER ${name}`);
}

const ENABLED = { origin: "", replica: "REPLICA", always: "ALWAYS" } as const;

async function removeLargeObjects(app: Client): Promise<void> {
  const remove = `SELECT lo_unlink(oid) FROM (SELECT oid FROM pg_largeobject_metadata LIMIT ${OBJECTS_AT_ONCE}) batch`;
  for (let removed: number | null = 1; removed !== null && removed > 0;) {
    ({ rowCount: removed } = await app.query(remove));
  }
}

/**
 * First all lose their rows; then each is filled from what there is now, in as many rounds as they build on each
 * other. One whose query fails without rows stays unfilled, as `pg_dump --schema-only` would leave it.
 */
async function refillViews(app: Client, views: readonly string[]): Promise<void> {
  for (const view of views) await app.query(`REFRESH MATERIALIZED VIEW ${view} WITH NO DATA`);
  await app.query("RESET search_path");
  let left = views;
  for (let before = Infinity; left.length < before;) {
    before = left.length;
    left = await refill(app, left);
  }
}

/** Resolves with those that could not be filled yet. */
async function refill(app: Client, views: readonly string[]): Promise<readonly string[]> {
  const failed: string[] = [];
  for (const view of views) {
    try {
      await app.query(`REFRESH MATERIALIZED VIEW ${view}`);
    } catch (error) {
      if (!isSqlError(error)) throw error;
      failed.push(view);
    }
  }
  return failed;
}
