/** Reads how an app is run: its `ramet.json`, or what its `package.json` says in the absence of one. */
import path from "node:path";

import type { DatabaseManifest, Manifest, ProcessManifest } from "../environment/manifest.ts";
import { assertStandsAlone, findAppFolder as findFolder } from "./app-folder.ts";
import { detectApp, type Detected } from "./detect.ts";
import { assertStaysInside } from "./inner-path.ts";
import { readJsonFile } from "./json-file.ts";
import { findPackageFile, type PackageFile } from "./package-file.ts";
import { appHasNoCommand } from "./problems.ts";
import {
  DEFAULT_DATABASE,
  listUnused,
  parseRametFile,
  RAMET_FILE,
  toDatabase,
  toProcess,
  toVariables,
} from "./ramet-file.ts";
import { isReloading } from "./reloading.ts";
import type { ProcessInFile, RametFile } from "./schema.ts";

/** undefined: there is no app here. @throws `manifest_invalid`, `app_no_command` */
export async function findManifest(folder: string): Promise<Manifest | undefined> {
  const written = await readJsonFile(folder, RAMET_FILE);
  if (written !== undefined) return readRamet(folder, parseRametFile(written));
  const packageFile = await findPackageFile(folder);
  if (packageFile === undefined) return undefined;
  const detected = await detectApp(folder, packageFile);
  if (detected === undefined) throw appHasNoCommand();
  return {
    app: null,
    setup: detected.setup,
    processes: detected.processes,
    database: DEFAULT_DATABASE,
    variables: {},
    files: { clone: defaultClone(packageFile) },
    unused: [],
    source: sourceOf(detected),
  };
}

/**
 * The folder of the app that someone in this folder of a repository or workspace means: the nearest one, up to the
 * root, with a ramet.json, else with a package.json, else the root.
 */
export function findAppFolder(here: string, root: string): Promise<string> {
  return findFolder(here, root);
}

/** The same, for making an app of it. @throws `packages_shared` for a part of a folder above it that cannot stand alone */
export async function requireAppFolder(here: string, root: string): Promise<string> {
  const folder = await findFolder(here, root);
  await assertStandsAlone(folder, root);
  return folder;
}

async function readRamet(folder: string, file: RametFile): Promise<Manifest> {
  const packageFile = await findPackageFile(folder);
  const detected = await detectUnsaid(folder, file, packageFile);
  return {
    app: file.app?.toLowerCase() ?? null,
    setup: findSetup(file, detected),
    processes: detected?.processes ?? (await readProcesses(folder, file.processes ?? {})),
    database: await readDatabase(folder, file),
    variables: toVariables(file.variables),
    files: { clone: file.files?.clone ?? defaultClone(packageFile) },
    unused: listUnused(file),
    source: [RAMET_FILE, ...(detected === undefined ? [] : [sourceOf(detected)])].join(", "),
  };
}

/** What `ramet.json` leaves open is found as if there were none; a file that names processes says all there is. */
async function detectUnsaid(
  folder: string,
  file: RametFile,
  packageFile: PackageFile | undefined,
): Promise<Detected | undefined> {
  if (file.processes !== undefined || packageFile === undefined) return undefined;
  return detectApp(folder, packageFile);
}

function findSetup({ setup }: RametFile, detected: Detected | undefined): string | null {
  if (setup === false) return null;
  return setup ?? detected?.setup ?? null;
}

async function readDatabase(folder: string, file: RametFile): Promise<DatabaseManifest | null> {
  const database = toDatabase(file.database);
  const mask = database?.mask ?? null;
  if (mask !== null) await assertStaysInside(folder, mask, "database.mask");
  return database;
}

async function readProcesses(
  folder: string,
  written: Readonly<Record<string, ProcessInFile>>,
): Promise<Record<string, ProcessManifest>> {
  const entries = Object.entries(written).map(
    async ([name, one]): Promise<[string, ProcessManifest]> => {
      const own = path.join(folder, one.folder ?? ".");
      await assertStaysInside(folder, one.folder ?? ".", `processes.${name}.folder`);
      const packageFile = one.reload === undefined ? await findPackageFile(own) : undefined;
      return [name, toProcess(one, isReloading(one.command, packageFile))];
    },
  );
  return Object.fromEntries(await Promise.all(entries));
}

function defaultClone(packageFile: PackageFile | undefined): readonly string[] {
  return packageFile === undefined ? [] : ["node_modules"];
}

function sourceOf({ script }: Detected): string {
  return `package.json (${script})`;
}
