import type { Answers, Manifest } from "../environment/manifest.ts";
import { planVariables } from "./detection/database-variables.ts";
import { found, type Outcome } from "./detection/outcome.ts";
import { listCloned } from "./detection/outputs.ts";
import { planDatabase } from "./detection/plan-database.ts";
import { planRunning } from "./detection/plan-running.ts";
import { planSetup } from "./detection/plan-setup.ts";
import { readProject } from "./detection/project.ts";
import { PACKAGE_FILE, type PackageFile } from "./package-file.ts";

/** All of a manifest but what only `ramet.json` can say. */
export type Detected = Omit<
  Manifest,
  "app" | "grants" | "isolation" | "limits" | "network" | "sleepMs" | "unused"
>;

/**
 * How an app is run by what stands in its files; nothing of it is executed.
 * @throws `detection_ambiguous`, `app_no_command`, `app_script_ends`, `manifest_invalid`
 */
export async function detectApp(
  folder: string,
  file: PackageFile,
  answers: Answers = {},
): Promise<Outcome<Detected>> {
  const project = await readProject(folder, file, answers);
  const packages = [project.root, ...project.members];
  const running = await planRunning(project, answers);
  const setup = planSetup(project, running.value);
  const database = planDatabase(project);
  const variables = planVariables(packages);
  const hasDatabase = database.value !== null;
  const parts = [running, setup, database];
  return found(
    {
      setup: setup.value.command,
      processes: running.value.processes,
      database: database.value,
      variables: hasDatabase ? variables.value : {},
      files: { clone: [...new Set([...listCloned(packages), ...setup.value.folders])] },
      source: `${PACKAGE_FILE} (${running.value.source})`,
    },
    [...parts.flatMap(({ findings }) => findings), ...(hasDatabase ? variables.findings : [])],
    [...parts.flatMap(({ warnings }) => warnings), ...variables.warnings],
  );
}
