import type { Answers, ProcessManifest } from "../../environment/manifest.ts";
import { MAX_PROCESSES } from "../schema.ts";
import { type Choice, chooseStart, isOwnApp } from "./choose-start.ts";
import { found, type Outcome } from "./outcome.ts";
import { planMembers } from "./plan-members.ts";
import {
  nameProcesses,
  type Planned,
  planEntry,
  planScript,
  type Start,
} from "./plan-processes.ts";
import { type Project, startOf } from "./project.ts";
import { listLeaves } from "./script-leaves.ts";
import { findSource, nameOf, type Sources } from "./sources.ts";

export type Running = {
  readonly processes: Readonly<Record<string, ProcessManifest>>;
  /** What of package.json says it, such as `dev`. */
  readonly source: string;
};

/** @throws `detection_ambiguous`, `app_no_command`, `app_script_ends` */
export async function planRunning(project: Project, answers: Answers): Promise<Outcome<Running>> {
  const { root, members } = project;
  if (members.length > 0 && !isOwnApp(root)) {
    const apps = await planMembers(startOf(project, root), members);
    if (apps.value.length > 0) return finish(apps, { source: "workspaces", project });
  }
  const start = startOf(project, root);
  const choice = await chooseStart(start, answers.script);
  const planned = found(await planChoice(start, choice), [], warnOfServers(root, choice));
  const source = choice.kind === "entry" ? choice.file : choice.names.join(", ");
  return finish(planned, { source, project });
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

function finish(
  planned: Outcome<readonly Planned[]>,
  { source, project }: { readonly source: string; readonly project: Project },
): Outcome<Running> {
  const named = nameProcesses(planned.value);
  const all = Object.entries(named.value);
  const processes = Object.fromEntries(all.slice(0, MAX_PROCESSES));
  const left = all.slice(MAX_PROCESSES).map(([name]) => name);
  return found({ processes, source }, named.findings, [
    ...planned.warnings,
    ...(left.length === 0
      ? []
      : [
          `There can be at most ${MAX_PROCESSES} processes; these are left out: ${left.join(", ")}.`,
        ]),
    ...warnOfProxies(project, all.length),
  ]);
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

/** A page that asks an address of this machine finds another environment's server there, or none. */
function warnOfProxies({ root, members }: Project, processes: number): readonly string[] {
  if (processes < 2) return [];
  return [root, ...members].flatMap((sources) => {
    const config = findSource(sources, /^vite\.config\./);
    const [, port] = /(?:localhost|127\.0\.0\.1):(\d+)/.exec(config?.text ?? "") ?? [];
    if (config === undefined || port === undefined) return [];
    return [
      `${nameOf(sources, config.name)} asks for port ${port}: let it take the port from the variable RAMET_SERVICE_<NAME>_PORT of the process that answers there.`,
    ];
  });
}
