import type { Client } from "pg";

import { traced } from "../../base/trace.ts";
import type { DatabaseRecord } from "../../environment/environment.ts";
import { emptyingFailed } from "../place/problems.ts";
import { createPasswords, createVerifiers, replacePasswords } from "../place/roles.ts";
import type { Passwords } from "../place/roles.ts";
import { withClient } from "../statements/client.ts";
import { emptyDatabase } from "./emptying.ts";
import type { Emptied } from "./emptying.ts";
import { runMask } from "./mask.ts";
import type { Changed } from "./mask.ts";
import { adminOf, loginOfApp } from "./source.ts";
import type { Source } from "./source.ts";
import {
  dropOtherDatabases,
  forgetSamples,
  forgetWrites,
  listUnemptied,
  rewriteTables,
} from "./traces.ts";

/** What becomes of a copy's rows before anyone can connect to it. */
export type ForkPolicy = {
  /** `schema`: it keeps its structure, and of its rows only a migration tool's own. */
  readonly data: "all" | "schema";
  readonly maskSql: string | null;
  /** By which a migration tool's table is known that no list names. */
  readonly migrationKeys: ReadonlySet<string>;
  /** Called as each stage begins, with words for people. */
  readonly onStage: (words: string) => void;
};

/** What a copy's server is to be opened with: where there is work to do first, the app's role has a password that nobody knows. */
export function closeRecord(record: DatabaseRecord, policy: Partial<ForkPolicy>): DatabaseRecord {
  if (!hasWork(policy)) return record;
  return { ...record, appPassword: createPasswords().appPassword };
}

/**
 * Empties and masks a copy that runs with its record as `closeRecord` has made it, then lets in whoever has the
 * passwords that it is to have. Resolves with what was done, in words.
 * @throws `mask_failed`, `database_emptying_failed`
 */
export async function openFork(
  closed: Source,
  passwords: Passwords,
  {
    data = "all",
    maskSql = null,
    migrationKeys = new Set(),
    onStage = ignore,
  }: Partial<ForkPolicy>,
): Promise<readonly string[]> {
  if (!hasWork({ data, maskSql })) return [];
  const done = await applyPolicy(closed, { data, maskSql, migrationKeys, onStage });
  const verifiers = await createVerifiers(passwords);
  await asAdmin(closed, "postgres", async (admin) => replacePasswords(admin, verifiers));
  return done;
}

function hasWork({ data = "all", maskSql = null }: Partial<ForkPolicy>): boolean {
  return data === "schema" || maskSql !== null;
}

async function applyPolicy(copy: Source, policy: ForkPolicy): Promise<readonly string[]> {
  const { name } = copy.record;
  const dropped = await asAdmin(copy, "postgres", async (admin) => dropOtherDatabases(admin, name));
  const done = [
    ...(policy.data === "schema" ? [await empty(copy, policy)] : []),
    ...(policy.maskSql === null ? [] : [await mask(copy, policy.maskSql, policy)]),
  ];
  await traced("old files and WAL", async () => asAdmin(copy, name, forgetWrites));
  return dropped.length === 0 ? done : [...done, `left out: the database ${dropped.join(", ")}`];
}

async function empty(copy: Source, { migrationKeys, onStage }: ForkPolicy): Promise<string> {
  onStage("removing rows");
  const emptied = await traced("emptying", async () =>
    withClient(loginOfApp(copy), async (app) => emptyDatabase(app, migrationKeys)),
  );
  await asAdmin(copy, copy.record.name, async (admin) => {
    const left = await listUnemptied(
      admin,
      emptied.kept.map(({ oid }) => oid),
    );
    if (left.length > 0) throw emptyingFailed(`there are rows in ${left.join(", ")} all the same`);
    await forgetSamples(admin, null);
    await rewriteTables(admin, ["pg_largeobject", "pg_largeobject_metadata"]);
  });
  return describeEmptied(emptied);
}

async function mask(copy: Source, sql: string, { onStage }: ForkPolicy): Promise<string> {
  onStage("masking");
  const login = loginOfApp(copy);
  const changed = await traced("mask", async () => runMask(login, sql));
  await traced("old rows", async () =>
    asAdmin(copy, copy.record.name, async (admin) => forgetChanged(admin, changed)),
  );
  return "masked";
}

async function forgetChanged(admin: Client, changed: readonly Changed[]): Promise<void> {
  const old = changed.filter(({ hasOldRows }) => hasOldRows);
  await rewriteTables(
    admin,
    old.map(({ quoted }) => quoted),
  );
  await forgetSamples(
    admin,
    changed.map(({ oid }) => oid),
  );
  for (const { quoted } of changed) await admin.query(`ANALYZE ${quoted}`);
}

function describeEmptied({ tables, kept }: Emptied): string {
  const names = kept.map(({ table }) => table.replace(/^public\./, ""));
  const but = names.length === 0 ? "" : `, but for ${names.join(", ")}`;
  return `rows removed from ${tables} ${tables === 1 ? "table" : "tables"}${but}`;
}

async function asAdmin<T>(
  copy: Source,
  database: string,
  work: (admin: Client) => Promise<T>,
): Promise<T> {
  return withClient(adminOf(copy, database), work);
}

function ignore(): void {
  // Nobody asked to be told.
}
