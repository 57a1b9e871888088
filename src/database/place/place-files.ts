import { chownSync } from "node:fs";
import { mkdir, rename, rm, stat } from "node:fs/promises";
import path from "node:path";

import { hasErrorCode } from "../../base/problem.ts";
import { exists } from "../../base/remove-inside.ts";
import { stageFile, writeAtomically } from "../../base/write-atomically.ts";
import type { Staged } from "../../base/write-atomically.ts";
import type { DatabasePlace } from "../../environment/places.ts";
import { readSmallFile, writeNewFile } from "./owned-files.ts";
import { formatAccess, formatSettings, SOCKET_PORT } from "./settings.ts";

/** The log of a place; what is older is kept once, beside it. */
const MAX_LOG_BYTES = 8 * 1024 * 1024;
/** Read by the server's own user, written by us alone; the folder around it is closed to others. */
const READABLE = 0o644;
const SETTINGS_FILE = "postgresql.conf";
const ACCESS_FILE = "pg_hba.conf";

/** Into a new data folder: its settings, and access for us alone. */
export function writeFirstSettings(place: DatabasePlace, major: number): void {
  writeNewFile(path.join(place.folder, SETTINGS_FILE), settingsOf(place, major), READABLE);
  writeNewFile(path.join(place.folder, ACCESS_FILE), formatAccess("admin"), READABLE);
}

/** Settings derive from the place and the version alone: they are written again where they differ. */
export async function writeSettings(place: DatabasePlace, major: number): Promise<void> {
  const file = path.join(place.folder, SETTINGS_FILE);
  const settings = settingsOf(place, major);
  if (readSmallFile(file)?.toString() === settings) return;
  await writeAtomically(file, settings, { mode: READABLE });
}

/** Lets everyone connect who knows a password; a running server is to be told. */
export async function openAccess(place: DatabasePlace): Promise<void> {
  const staged = await stageAccess(place);
  await staged.place();
  await staged.settle();
}

/** The same, later. */
export async function stageAccess({ folder }: DatabasePlace): Promise<Staged> {
  return stageFile(path.join(folder, ACCESS_FILE), formatAccess("all"), { mode: READABLE });
}

/** The socket of a server that listens in this folder. */
export function socketIn(folder: string): string {
  return path.join(folder, `.s.PGSQL.${SOCKET_PORT}`);
}

/** Sockets may lie where a restart of the machine empties: what is missing is made, what is there stays as it is. */
export async function makeSocketFolder({ socketFolder, uid }: DatabasePlace): Promise<void> {
  if (await exists(socketFolder)) return;
  await mkdir(socketFolder, { recursive: true, mode: uid === null ? 0o700 : 0o711 });
  if (uid !== null) chownSync(socketFolder, uid, uid);
}

/** Begins a new log when the old one is long; it is the caller's to see that nobody writes to it. */
export async function turnLog({ log }: DatabasePlace): Promise<void> {
  if ((await sizeOf(log)) > MAX_LOG_BYTES) await rename(log, `${log}.old`);
}

export async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return 0;
    throw error;
  }
}

/** What a server that is gone left in the folder of its socket, and would be misled by later. */
export async function removeStaleSocket(socket: string): Promise<void> {
  await rm(socket, { force: true });
  await rm(`${socket}.lock`, { force: true });
}

function settingsOf({ id, socketFolder, uid, limits }: DatabasePlace, major: number): string {
  return formatSettings({ name: id, socketFolder, shared: uid !== null, major, limits });
}
