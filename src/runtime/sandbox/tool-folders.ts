import { readdir, realpath } from "node:fs/promises";
import path from "node:path";

import { hasErrorCode } from "../../base/problem.ts";

/** Seen inside as they are, or links into what is. */
const SYSTEM = ["/usr", "/bin", "/sbin", "/lib", "/nix/store", "/gnu/store"];
/** Their programs need what lies beside them: `~/.nvm/versions/node/v24.0.0/bin` its `lib`. */
const BESIDE = new Set(["bin", "sbin", "shims", ".bin"]);
/** Below a person's folder: where tools keep interpreters that they installed, which no `PATH` names. */
const INTERPRETERS = [".local/share/uv/python"];
/** Of one folder: beyond so many it is no folder of a person's own tools. */
const MAX_LINKS = 1_000;

export type ToolPlaces = {
  /** `PATH` of the shell that the environment was made in. */
  readonly searchPath: string;
  /** The person's own folder: what holds it, or lies directly in it beside tools, stays unseen. */
  readonly home: string;
  /** Must not become visible, nor what holds them. */
  readonly hidden: readonly string[];
};

/** Folders outside the system in which a `PATH` finds programs, with what these need beside them. */
export async function listToolFolders(places: ToolPlaces): Promise<readonly string[]> {
  const entries = places.searchPath.split(":").filter((entry) => path.isAbsolute(entry));
  const found = await Promise.all(
    [...new Set(entries)].map(async (entry) => listOf(path.normalize(entry), places)),
  );
  const kept = await Promise.all(
    INTERPRETERS.map(async (name) => resolve(path.join(places.home, name))),
  );
  const all = [...found.flat(), ...kept.filter((folder) => folder !== undefined)];
  return [...new Set(all)].filter((folder) => isShowable(folder, places)).toSorted();
}

async function listOf(entry: string, places: ToolPlaces): Promise<readonly string[]> {
  if (isInside(entry, SYSTEM)) return [];
  const folder = await resolve(entry);
  if (folder === undefined) return [];
  const own = [entry, folder].map((one) => widen(one, places));
  // Where nothing beside it is shown, its programs may be links to wherever they were installed.
  return own.includes(folder) ? [...own, ...(await listTargets(folder, places))] : own;
}

/** The folder above, where programs need it and it holds nothing but tools. */
function widen(folder: string, places: ToolPlaces): string {
  const above = path.dirname(folder);
  if (!BESIDE.has(path.basename(folder))) return folder;
  const mixed = ["", ".local", ".cargo", ".config", "go"].map((name) =>
    path.join(places.home, name),
  );
  return mixed.includes(above) || !isShowable(above, places) ? folder : above;
}

async function listTargets(folder: string, places: ToolPlaces): Promise<readonly string[]> {
  const targets = (await listLinks(folder)).map(resolve);
  const files = (await Promise.all(targets)).filter((file) => file !== undefined);
  return files
    .filter((file) => !isInside(file, [...SYSTEM, folder]))
    .map((file) => widen(path.dirname(file), places));
}

async function listLinks(folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    const links = entries.filter((entry) => entry.isSymbolicLink()).slice(0, MAX_LINKS);
    return links.map(({ name }) => path.join(folder, name));
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR", "EACCES")) return [];
    throw error;
  }
}

async function resolve(file: string): Promise<string | undefined> {
  try {
    return await realpath(file);
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR", "EACCES", "ELOOP")) return undefined;
    throw error;
  }
}

function isShowable(folder: string, { home, hidden }: ToolPlaces): boolean {
  return ![home, ...hidden].some((one) => isInside(one, [folder])) && !isInside(folder, SYSTEM);
}

function isInside(file: string, folders: readonly string[]): boolean {
  return folders.some(
    (folder) => file === folder || file.startsWith(folder === "/" ? "/" : `${folder}/`),
  );
}
