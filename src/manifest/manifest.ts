/**
 * Reads how an app is run: its `ramet.json`, or what its own files say in the absence of one. `reading/` reads each kind
 * of file; `detection/` finds signs in them, knows the stacks of other languages, and plans what is to be run.
 */
import path from "node:path";

import { exists } from "../base/remove-inside.ts";
import { writeAtomically } from "../base/write-atomically.ts";
import { DEFAULT_GRANTS, NO_LIMITS } from "../environment/manifest.ts";
import type { Answers, Explanation, Manifest, Question } from "../environment/manifest.ts";
import { suggestAppName } from "../environment/name.ts";
import { detectApp, type Detected } from "./detect.ts";
import { found, type Outcome } from "./detection/signs/outcome.ts";
import { type Place, readRamet } from "./read-ramet.ts";
import {
  assertStandsAlone,
  findAppFolder as findFolder,
  TELLING_FILES,
} from "./reading/app-folder.ts";
import { readJsonFile } from "./reading/json-file.ts";
import { findPackageFile } from "./reading/package-file.ts";
import { Ambiguity, nothingDetected } from "./reading/problems.ts";
import { parseRametFile, RAMET_FILE } from "./reading/ramet-file.ts";
import * as shared from "./reading/shared-install.ts";
import { toSleepMs } from "./reading/sleep.ts";
import { formatRametFile } from "./reading/written-file.ts";

/**
 * undefined: there is no app here.
 * @throws `manifest_invalid`, `detection_ambiguous`, `app_no_command`, `app_script_ends`
 */
export async function findManifest(folder: string): Promise<Manifest | undefined> {
  return (await explainManifest(folder))?.manifest;
}

/** The same with its reasons, and with what a person answered to the questions that it throws. */
export async function explainManifest(
  folder: string,
  answers: Answers = {},
): Promise<Explanation | undefined> {
  const written = await readJsonFile(folder, RAMET_FILE);
  const packageFile = await findPackageFile(folder);
  const place = { folder, packageFile, answers };
  const outcome =
    written === undefined ? await detect(place) : await readRamet(place, parseRametFile(written));
  if (outcome === undefined) return undefined;
  const { value, findings, warnings } = outcome;
  const name = value.app ?? suggestAppName(packageFile?.name ?? path.basename(folder));
  return { manifest: value, name, findings, warnings: [...warnings, ...warnOfUnused(value)] };
}

/** @throws `nothing_detected`, and what `explainManifest` throws */
export async function requireExplanation(folder: string): Promise<Explanation> {
  const explanation = await explainManifest(folder);
  if (explanation === undefined) throw nothingDetected(folder);
  return explanation;
}

/** Files at an app's root by which it is known how it runs: while none of them changes, most likely nothing of it does. */
export const MANIFEST_FILES: readonly string[] = [RAMET_FILE, ...TELLING_FILES];

/** What only a person can decide, when that is why a manifest was not found. */
export function findQuestion(error: unknown): Question | undefined {
  return error instanceof Ambiguity ? error.question : undefined;
}

/** The `ramet.json` that says what was found, and under which name. */
export function describeManifest({ manifest }: Explanation, app: string): string {
  return formatRametFile(manifest, app);
}

/** Writes it where there is none; false: there is one, which stays as it is. */
export async function writeManifest(folder: string, text: string): Promise<boolean> {
  const file = path.join(folder, RAMET_FILE);
  if (await exists(file)) return false;
  await writeAtomically(file, text, { mode: 0o644 });
  return true;
}

/**
 * The folder of the app that someone in this folder of a repository or workspace means: the nearest one, up to the
 * root, with a ramet.json, else with a package.json or what an app of another language has, else the root.
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

/**
 * Whether packages that were installed in a tree with the same lock file may be copied into this one, and what is to be
 * run then; undefined: they may not.
 */
export function findSharedInstall(
  folder: string,
  setup: string,
): Promise<{ readonly scripts: readonly string[] } | undefined> {
  return shared.findSharedInstall(folder, setup);
}

async function detect({
  folder,
  packageFile,
  answers,
}: Place): Promise<Outcome<Manifest> | undefined> {
  const detected = await detectApp(folder, packageFile, answers);
  return detected === undefined ? undefined : toManifest(detected);
}

function toManifest({ value, findings, warnings }: Outcome<Detected>): Outcome<Manifest> {
  const unsaid = {
    sleepMs: toSleepMs(undefined, value.processes),
    grants: DEFAULT_GRANTS,
    isolation: "auto",
    network: "open",
    limits: NO_LIMITS,
  } as const;
  return found({ app: null, ...unsaid, unused: [], ...value }, findings, warnings);
}

function warnOfUnused({ unused }: Manifest): readonly string[] {
  if (unused.length === 0) return [];
  return [`ramet.json says ${unused.join(", ")}, on which this version does not act yet.`];
}
