import path from "node:path";

import { Problem } from "../base/problem.ts";
import { exists } from "../base/remove-inside.ts";
import type {
  Answers,
  DatabaseManifest,
  Manifest,
  ProcessManifest,
} from "../environment/manifest.ts";
import { detectApp, type Detected } from "./detect.ts";
import { found, type Outcome } from "./detection/signs/outcome.ts";
import { assertStaysInside } from "./reading/inner-path.ts";
import { findPackageFile, type PackageFile } from "./reading/package-file.ts";
import { findManagerOf } from "./reading/package-manager.ts";
import {
  DEFAULT_DATABASE,
  listUnused,
  RAMET_FILE,
  toDatabase,
  toGrants,
  toLimits,
  toProcess,
  toVariables,
} from "./reading/ramet-file.ts";
import { isReloading } from "./reading/reloading.ts";
import type { ProcessInFile, RametFile } from "./reading/schema.ts";
import { toSleepMs } from "./reading/sleep.ts";

/** What is read beside it. */
export type Place = {
  readonly folder: string;
  readonly packageFile: PackageFile | undefined;
  readonly answers: Answers;
};

/** What `ramet.json` says, filled up with what is found where it says nothing. */
export async function readRamet(place: Place, file: RametFile): Promise<Outcome<Manifest>> {
  const { folder } = place;
  const detected = await detectUnsaid(place, file);
  const unsaid = detected?.value ?? {
    setup: null,
    processes: await readProcesses(folder, file.processes ?? {}),
    database: DEFAULT_DATABASE,
    variables: {},
    files: { clone: await defaultClone(place) },
    source: null,
  };
  const { source, ...others } = unsaid;
  const manifest: Manifest = {
    ...others,
    ...(await readSaid(folder, file)),
    app: file.app?.toLowerCase() ?? null,
    grants: toGrants(file.database),
    sleepMs: toSleepMs(file.sleep, unsaid.processes),
    ...readSealing(file),
    limits: toLimits(file.limits),
    unused: listUnused(file),
    source: source === null ? RAMET_FILE : `${RAMET_FILE}, ${source}`,
  };
  return found(manifest, detected?.findings, detected?.warnings);
}

/** How its processes are kept apart, and from what. */
function readSealing({ isolation, network }: RametFile): Pick<Manifest, "isolation" | "network"> {
  return { isolation: isolation ?? "auto", network: network ?? "open" };
}

/** The keys that stand in it. */
async function readSaid(
  folder: string,
  { setup, database, variables, files }: RametFile,
): Promise<Partial<Manifest>> {
  return {
    ...(setup === undefined ? {} : { setup: setup === false ? null : setup }),
    ...(database === undefined ? {} : { database: await readDatabase(folder, database) }),
    ...(variables === undefined ? {} : { variables: toVariables(variables) }),
    ...(files?.clone === undefined ? {} : { files: { clone: files.clone } }),
  };
}

/** What `ramet.json` leaves open is found as if there were none; a file that names processes says all there is. */
async function detectUnsaid(
  { folder, packageFile, answers }: Place,
  file: RametFile,
): Promise<Outcome<Detected> | undefined> {
  if (file.processes !== undefined) return undefined;
  const named = typeof file.setup === "string" ? findManagerOf(file.setup) : undefined;
  try {
    return await detectApp(folder, packageFile, {
      ...answers,
      ...(named === undefined ? {} : { packageManager: named }),
    });
  } catch (error) {
    // Then it says all that there is: an app may be a database alone.
    if (error instanceof Problem && error.code === "app_no_command") return undefined;
    throw error;
  }
}

async function readDatabase(
  folder: string,
  written: RametFile["database"],
): Promise<DatabaseManifest | null> {
  const database = toDatabase(written);
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

/** Where the packages are that a fork needs. */
async function defaultClone({ folder, packageFile }: Place): Promise<readonly string[]> {
  const names = [".venv", "venv"];
  const isThere = await Promise.all(names.map((name) => exists(path.join(folder, name))));
  const venvs = names.filter((_, index) => isThere[index]);
  return packageFile === undefined ? venvs : ["node_modules", ...venvs];
}
