import type { Answers } from "../../../environment/manifest.ts";
import { PACKAGE_FILE } from "../../reading/package-file.ts";
import { found, type Outcome } from "../signs/outcome.ts";
import { listCloned } from "../signs/outputs.ts";
import type { Sources } from "../signs/sources.ts";
import type { AppPlan } from "./app-plan.ts";
import { planDatabase } from "./plan-database.ts";
import type { Planned } from "./plan-processes.ts";
import { planRunning } from "./plan-running.ts";
import { planSetup } from "./plan-setup.ts";
import { readProject } from "./project.ts";

export type NodeApp = {
  readonly root: Sources;
  readonly answers: Answers;
  /** Where another file says which processes it has. */
  readonly said: { readonly planned: readonly Planned[]; readonly source: string } | undefined;
};

/** By `package.json`. @throws `detection_ambiguous`, `app_no_command`, `app_script_ends`, `manifest_invalid` */
export async function planNodeApp(
  folder: string,
  { root, answers, said }: NodeApp,
): Promise<Outcome<AppPlan>> {
  const project = await readProject(folder, root, answers);
  const packages = [project.root, ...project.members];
  const running = said === undefined ? await planRunning(project, answers) : found(said);
  const setup = planSetup(project, running.value.planned);
  const database = planDatabase(project);
  const parts = [running, setup, database];
  const { planned, source } = running.value;
  return found(
    {
      planned,
      setup: setup.value.command,
      database: database.value,
      clone: [...new Set([...listCloned(packages), ...setup.value.folders])],
      source: said === undefined ? `${PACKAGE_FILE} (${source})` : source,
      packages,
    },
    parts.flatMap(({ findings }) => findings),
    parts.flatMap(({ warnings }) => warnings),
  );
}
