import { readdir } from "node:fs/promises";
import path from "node:path";

import type { Client } from "pg";

import { Problem, messageOf } from "../base/problem.ts";
import type { DatabaseRecord } from "../environment/environment.ts";
import type { DatabasePlace } from "../environment/places.ts";
import { backUp } from "./backup.ts";
import { isSqlError, withClient } from "./client.ts";
import { copyFolder, describeCopy } from "./copy-folder.ts";
import type { Copied } from "./copy-folder.ts";
import { isLeftOut } from "./data-folder.ts";
import { inNewFolder, startFirst } from "./new-server.ts";
import { pinFolder } from "./owned-files.ts";
import { changing, copyingAtRest, takingTurns } from "./place-use.ts";
import { findPostmaster } from "./postmaster.ts";
import { maskFailed, sourceLost, tablespacesRefused } from "./problems.ts";
import { ADMIN_ROLE, APP_ROLE } from "./settings.ts";

export type Source = { readonly place: DatabasePlace; readonly record: DatabaseRecord };
export type ForkTarget = { readonly place: DatabasePlace; readonly maskSql: string | null };
export type Fork = { readonly record: DatabaseRecord; readonly detail: string };

/** Copies a source, served or at rest, and leaves the copy running, with passwords of its own and masked. */
export async function forkInto(
  programs: string,
  source: Source,
  target: ForkTarget,
): Promise<Fork> {
  const { place } = target;
  return inNewFolder(place, async () => {
    const { copied, isLive } = await copySource(source, place);
    const passwords = await startFirst(place, {
      programs,
      adminPassword: source.record.adminPassword,
      prepare: async () => {},
    });
    const record = { name: source.record.name, ...passwords };
    const unlogged = await finish({ place, record }, target.maskSql);
    const emptied = isLive && unlogged > 0;
    const detail =
      describeCopy(copied) + (emptied ? `; unlogged tables are empty: ${unlogged}` : "");
    return { record, detail };
  });
}

type SourceCopy = { readonly copied: Copied; readonly isLive: boolean };

/** A source that crashed is copied at rest, WAL and all: the copy recovers as the source would. */
async function copySource(source: Source, target: DatabasePlace): Promise<SourceCopy> {
  const atRest = await changing(source.place, async () => {
    if ((await findPostmaster(source.place)) !== undefined) return undefined;
    // Boxed: only its beginning is waited for here.
    return { copied: copyingAtRest(source.place, copyAtRest(source.place, target)) };
  });
  if (atRest !== undefined) return { copied: await atRest.copied, isLive: false };
  const copied = await takingTurns(source.place, async () => copyLive(source, target));
  return { copied, isLive: true };
}

async function copyAtRest(source: DatabasePlace, target: DatabasePlace): Promise<Copied> {
  const tablespaces = pinFolder(path.join(source.folder, "pg_tblspc"));
  try {
    const names = tablespaces === undefined ? [] : await readdir(tablespaces.path);
    if (names.length > 0) throw tablespacesRefused(names);
  } finally {
    tablespaces?.close();
  }
  return copyFolder(source.folder, target.folder, { skip: isLeftOut, uid: target.uid });
}

async function copyLive({ place, record }: Source, target: DatabasePlace): Promise<Copied> {
  const login = {
    socketFolder: place.socketFolder,
    user: ADMIN_ROLE,
    password: record.adminPassword,
    database: "postgres",
    settings: "ours",
  } as const;
  try {
    return await withClient(login, async (admin) =>
      backUp(admin, { source: place.folder, target: target.folder, uid: target.uid }),
    );
  } catch (error) {
    if (isSqlError(error) || isLostConnection(error)) throw sourceLost(messageOf(error));
    throw error;
  }
}

/** `pg` gives a lost connection no code. */
function isLostConnection(error: unknown): boolean {
  return (
    !(error instanceof Problem) &&
    /^Connection terminated|not queryable|^Query read timeout|ECONNRESET|EPIPE/.test(
      messageOf(error),
    )
  );
}

/** Masks the rows as the app's role, and counts the tables whose rows did not come along. @throws `mask_failed` */
async function finish({ place, record }: Source, maskSql: string | null): Promise<number> {
  const login = {
    socketFolder: place.socketFolder,
    user: APP_ROLE,
    password: record.appPassword,
    database: record.name,
    settings: "ours",
  } as const;
  try {
    return await withClient(login, async (app) => {
      if (maskSql !== null) await mask(app, maskSql);
      return countUnlogged(app);
    });
  } catch (error) {
    if (maskSql !== null) throw maskFailed(messageOf(error));
    if (isSqlError(error)) return 0;
    throw error;
  }
}

async function mask(app: Client, sql: string): Promise<void> {
  await app.query("BEGIN");
  await app.query(sql);
  await app.query("COMMIT");
}

async function countUnlogged(app: Client): Promise<number> {
  const { rows } = await app.query<{ count: string }>(
    "SELECT count(*) FROM pg_catalog.pg_class WHERE relpersistence = 'u' AND relkind = 'r'",
  );
  return Number(rows[0]?.count ?? 0);
}
