import type { Answers, Manifest, ProcessManifest } from "../environment/manifest.ts";
import { type AppPlan, joinPlans } from "./detection/plans/app-plan.ts";
import { isNoApp, planApp } from "./detection/plans/plan-app.ts";
import { planBeside, planFolders } from "./detection/plans/plan-folders.ts";
import { nameProcesses } from "./detection/plans/plan-processes.ts";
import { planVariables } from "./detection/signs/database-variables.ts";
import { found, type Outcome } from "./detection/signs/outcome.ts";
import { findSource, nameOf, type Sources } from "./detection/signs/sources.ts";
import type { PackageFile } from "./reading/package-file.ts";
import { MAX_PROCESSES } from "./reading/schema.ts";

/** All of a manifest but what only `ramet.json` can say. */
export type Detected = Omit<
  Manifest,
  "app" | "grants" | "isolation" | "limits" | "network" | "sleepMs" | "unused"
>;

/**
 * How an app is run by what stands in its files; nothing of it is executed. undefined: there is no app.
 * @throws `detection_ambiguous`, `app_no_command`, `app_script_ends`, `manifest_invalid`
 */
export async function detectApp(
  folder: string,
  file: PackageFile | undefined,
  answers: Answers = {},
): Promise<Outcome<Detected> | undefined> {
  const plan = await planWhole(folder, file, answers);
  return plan === undefined ? undefined : finish(plan);
}

/** The app of the folder itself with what belongs to it, else those in the folders below. */
async function planWhole(
  folder: string,
  file: PackageFile | undefined,
  answers: Answers,
): Promise<Outcome<AppPlan> | undefined> {
  const own = await planOwn(folder, file, answers);
  if (own !== undefined && !(own instanceof Error)) {
    const isNode = own.value.source.startsWith("package.json");
    return isNode ? joinPlans([own, ...(await planBeside(folder, answers))]) : own;
  }
  const apps = await planFolders(folder, answers);
  if (apps.length > 0) return joinPlans(apps);
  if (own !== undefined) throw own;
  return undefined;
}

async function planOwn(
  folder: string,
  file: PackageFile | undefined,
  answers: Answers,
): Promise<Outcome<AppPlan> | Error | undefined> {
  try {
    return await planApp(folder, { file, answers, isAlone: true });
  } catch (error) {
    if (isNoApp(error)) return error;
    throw error;
  }
}

function finish({ value: plan, findings, warnings }: Outcome<AppPlan>): Outcome<Detected> {
  const { setup, database, clone, source, packages } = plan;
  const named = nameProcesses(plan.planned);
  const all = Object.entries(named.value);
  const variables = planVariables(packages);
  return found(
    {
      setup,
      processes: Object.fromEntries(all.slice(0, MAX_PROCESSES)),
      database,
      variables: database === null ? {} : variables.value,
      files: { clone },
      source,
    },
    [...named.findings, ...findings, ...(database === null ? [] : variables.findings)],
    [
      ...warnings,
      ...warnOfMany(all),
      ...warnOfProxies(packages, all.length),
      ...variables.warnings,
    ],
  );
}

function warnOfMany(all: readonly (readonly [string, ProcessManifest])[]): readonly string[] {
  const left = all.slice(MAX_PROCESSES).map(([name]) => name);
  if (left.length === 0) return [];
  return [
    `There can be at most ${MAX_PROCESSES} processes; these are left out: ${left.join(", ")}.`,
  ];
}

/** A page that asks an address of this machine finds another environment's server there, or none. */
function warnOfProxies(packages: readonly Sources[], processes: number): readonly string[] {
  if (processes < 2) return [];
  return packages.flatMap((sources) => {
    const config = findSource(sources, /^vite\.config\./);
    const [, port] = /(?:localhost|127\.0\.0\.1):(\d+)/.exec(config?.text ?? "") ?? [];
    if (config === undefined || port === undefined) return [];
    return [
      `${nameOf(sources, config.name)} asks for port ${port}: let it take the port from the variable RAMET_SERVICE_<NAME>_PORT of the process that answers there.`,
    ];
  });
}
