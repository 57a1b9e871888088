import type { Answers } from "../../../environment/manifest.ts";
import { found, type Outcome } from "../signs/outcome.ts";
import { listLeaves } from "../signs/script-leaves.ts";
import type { Sources } from "../signs/sources.ts";
import { type Choice, chooseStart, isOwnApp } from "./choose-start.ts";
import { planMembers } from "./plan-members.ts";
import { type Planned, planEntry, planScript, type Start } from "./plan-processes.ts";
import { type Project, startOf } from "./project.ts";

export type Running = {
  readonly planned: readonly Planned[];
  /** What of package.json says it, such as `dev`. */
  readonly source: string;
};

/** @throws `detection_ambiguous`, `app_no_command`, `app_script_ends` */
export async function planRunning(project: Project, answers: Answers): Promise<Outcome<Running>> {
  const { root, members } = project;
  if (members.length > 0 && !isOwnApp(root)) {
    const apps = await planMembers(startOf(project, root), members);
    if (apps.value.length > 0)
      return { ...apps, value: { planned: apps.value, source: "workspaces" } };
  }
  const start = startOf(project, root);
  const choice = await chooseStart(start, answers.script);
  const source = choice.kind === "entry" ? choice.file : choice.names.join(", ");
  const planned = await planChoice(start, choice);
  return found({ planned, source }, [], warnOfServers(root, choice));
}

async function planChoice(start: Start, choice: Choice): Promise<readonly Planned[]> {
  if (choice.kind === "entry") return [await planEntry(start, choice.command)];
  const [only, ...others] = choice.names;
  const scripts = await Promise.all(choice.names.map((name) => planScript(start, name)));
  if (only !== undefined && others.length === 0) return scripts.flat();
  return scripts.flatMap((planned, at) =>
    planned.map((one) => ({ ...one, label: choice.names[at]?.split(":").at(-1) ?? null })),
  );
}

/** A script of a server beside the one that starts the page alone. */
function warnOfServers({ file }: Sources, choice: Choice): readonly string[] {
  if (choice.kind === "entry") return [];
  const [started = ""] = choice.names;
  const scripts = Object.entries(file.scripts ?? {});
  const text = file.scripts?.[started] ?? "";
  const called = listLeaves(text, file.scripts ?? {}).flatMap(({ calls }) => calls);
  const servers = scripts.filter(
    ([name, script]) =>
      /^(?:(?:dev|start)[:-])?(?:server|api|backend)$/.test(name) &&
      !choice.names.includes(name) &&
      !called.some((call) => call.name === name) &&
      script !== text &&
      !text.includes(name),
  );
  return servers.map(
    ([name]) =>
      `package.json also has the script ${name}, which ${started} does not start: it is not run.`,
  );
}
