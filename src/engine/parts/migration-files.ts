import type { Dirent } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";

import { hasErrorCode } from "../../base/problem.ts";
import { keysOfMigration } from "../../environment/migration-name.ts";

export type MigrationFile = {
  /** Relative to the tree's root, with `/`. */
  readonly path: string;
  readonly keys: readonly string[];
};

/** As tools call the folder that holds theirs, at some depth. */
const FOLDER = /migrat|^drizzle$/i;
/** Not the app's own, or made from it. */
const NOT_LOOKED_INTO = new Set(["node_modules", "vendor", "dist", "build", "target", "venv"]);
const MOST_LEVELS = 8;
const MOST_FOLDERS = 5_000;

/** The files below a folder that is called after migrations, wherever in the app's tree that lies. */
export async function listMigrationFiles(root: string): Promise<readonly MigrationFile[]> {
  const found: MigrationFile[] = [];
  const folders = [""];
  for (const folder of folders) {
    for (const entry of await listIfThere(path.join(root, folder))) {
      const inner = path.posix.join(folder, entry.name);
      if (entry.isDirectory() && folders.length < MOST_FOLDERS && isLookedInto(inner))
        folders.push(inner);
      if (entry.isFile() && isOfMigrations(folder))
        found.push({ path: inner, keys: await readKeys(root, inner) });
    }
  }
  return found;
}

function isLookedInto(folder: string): boolean {
  const levels = folder.split("/");
  const name = levels.at(-1) ?? "";
  return levels.length <= MOST_LEVELS && !name.startsWith(".") && !NOT_LOOKED_INTO.has(name);
}

function isOfMigrations(folder: string): boolean {
  return folder.split("/").some((name) => FOLDER.test(name));
}

/** Drizzle notes the time at which a migration was written, which its journal says. */
async function readKeys(root: string, file: string): Promise<readonly string[]> {
  if (path.basename(file) !== "_journal.json") return keysOf(file);
  const text = await readFile(path.join(root, file), "utf8");
  return [...text.matchAll(/"when"\s*:\s*(\d+)/g)].map((match) => match[1] ?? "");
}

/** Prisma calls a migration by its folder, Django by its app as well. */
function keysOf(file: string): readonly string[] {
  const levels = file.split("/");
  const name = levels.at(-1) ?? "";
  if (name === "migration.sql") return keysOfMigration(levels.at(-2) ?? "");
  const keys = keysOfMigration(name);
  return name.endsWith(".py") ? [...keys, `${levels.at(-3) ?? ""}/${keys[0] ?? ""}`] : keys;
}

async function listIfThere(folder: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR", "EACCES")) return [];
    throw error;
  }
}
