import path from "node:path";

import type { PackageFile } from "../../reading/package-file.ts";
import { findText, listFolder } from "./text-file.ts";

/** What was read of one package, from which everything is decided. Paths are relative to its folder. */
export type Sources = {
  /** Relative to the app's folder; `.` is that folder itself. */
  readonly folder: string;
  readonly file: PackageFile;
  /** Files and folders; of folders that were not looked into nothing is known. */
  readonly paths: ReadonlySet<string>;
  readonly texts: ReadonlyMap<string, string>;
};

/** Where the files are kept that say how an app is run, besides its own folder. */
const FOLDERS = new Set([
  "bin",
  "config",
  "database",
  "database/migrations",
  "db",
  "db/migrations",
  "drizzle",
  "migrations",
  "prisma",
  "prisma/migrations",
  "prisma/schema",
  "requirements",
  "seeds",
  "server",
  "src",
  "src/config",
  "src/database",
  "src/db",
  "src/migrations",
]);

const READ: readonly RegExp[] = [
  /^\.env(?:\.(?:example|sample|template|dist|local|development|development\.local))?$/,
  /^(?:prisma\/(?:schema\/)?)?[\w.-]+\.prisma$/,
  /^(?:prisma|drizzle)\.config\.\w+$/,
  /(?:^|\/)(?:knexfile|data-?source|ormconfig)\.(?:[cm]?[jt]s|json)$/i,
  /^vite\.config\.\w+$/,
];
const MAX_TEXTS = 32;
const MAX_PATHS = 5000;

export async function readSources(
  root: string,
  folder: string,
  file: PackageFile,
): Promise<Sources> {
  const own = path.join(root, folder);
  const paths = await listPaths(own);
  const wanted = [...paths].filter((name) => READ.some((pattern) => pattern.test(name)));
  const schema = file.prisma?.schema;
  if (schema !== undefined && isInner(schema)) wanted.unshift(path.posix.normalize(schema));
  const names = [...new Set(wanted)].slice(0, MAX_TEXTS);
  const texts = await Promise.all(names.map((name) => findText(path.join(own, name))));
  const read = names.flatMap((name, index) => {
    const text = texts[index];
    return text === undefined ? [] : [[name, text] as const];
  });
  return { folder, file, paths, texts: new Map(read) };
}

/** Whether it is there; what lies in a folder that was not looked into counts as being there. */
export function isThere({ paths }: Sources, name: string): boolean {
  const inner = path.posix.normalize(name).replace(/\/$/, "");
  if (paths.has(inner)) return true;
  const parent = path.posix.dirname(inner);
  if (parent === "." || FOLDERS.has(parent)) return false;
  return parent.startsWith("..") ? false : paths.has(parent.split("/")[0] ?? "");
}

/** The first text whose name matches. */
export function findSource(
  { texts }: Sources,
  pattern: RegExp,
): { readonly name: string; readonly text: string } | undefined {
  for (const [name, text] of texts) if (pattern.test(name)) return { name, text };
  return undefined;
}

export function hasPackage({ file }: Pick<Sources, "file">, ...names: readonly string[]): boolean {
  const groups = [file.dependencies, file.devDependencies, file.optionalDependencies];
  return names.some((name) => groups.some((group) => group !== undefined && name in group));
}

/** As it is named in what the person reads: `apps/web/package.json`. */
export function nameOf({ folder }: Pick<Sources, "folder">, name: string): string {
  return path.posix.join(folder, name);
}

export function isInner(name: string): boolean {
  return !path.isAbsolute(name) && !name.includes("\0") && !name.split("/").includes("..");
}

async function listPaths(own: string): Promise<ReadonlySet<string>> {
  const paths = new Set<string>();
  const queue = [""];
  for (const folder of queue) {
    for (const { name, isFolder } of await listFolder(path.join(own, folder))) {
      const inner = path.posix.join(folder, name);
      if (paths.size < MAX_PATHS) paths.add(inner);
      if (isFolder && FOLDERS.has(inner)) queue.push(inner);
    }
  }
  return paths;
}
