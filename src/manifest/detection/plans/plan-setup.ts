import { hasDependencies } from "../../reading/package-file.ts";
import { planGenerate } from "../signs/migrations.ts";
import { found, type Outcome } from "../signs/outcome.ts";
import { type Built, planBuild, planLibraries } from "../signs/outputs.ts";
import { nameOf, type Sources } from "../signs/sources.ts";
import type { Planned } from "./plan-processes.ts";
import { type Project, startOf } from "./project.ts";

export type Setup = { readonly command: string | null; readonly folders: readonly string[] };

/** Installs the packages, generates what they lack, and builds what the processes run as it is built. */
export function planSetup(project: Project, planned: readonly Planned[]): Outcome<Setup> {
  const { root, members, manager } = project;
  const folders = new Set(planned.map(({ process }) => process.folder));
  const running = [root, ...members].filter(({ folder }) => folders.has(folder));
  const built = [
    planLibraries(
      members,
      members.filter((one) => running.includes(one)),
      manager.name,
    ),
    ...running.map((sources) => planOwnBuild(project, sources, planned)),
  ];
  const needsInstall = hasDependencies(root.file) || members.length > 0;
  const steps = [
    ...(needsInstall ? [manager.install] : []),
    ...[root, ...members].flatMap((sources) => planGenerate(startOf(project, sources)) ?? []),
    ...built.flatMap((one) => one.steps),
  ];
  const command = steps.length === 0 ? null : steps.join(" && ");
  return found(
    { command, folders: built.flatMap((one) => one.folders) },
    explain(project, command),
  );
}

function planOwnBuild(project: Project, sources: Sources, planned: readonly Planned[]): Built {
  const own = planned.filter(({ process }) => process.folder === sources.folder);
  const scripts = sources.file.scripts ?? {};
  const texts = own.map(({ process: { command } }) => {
    const [, name = ""] = /\brun\s+([\w:.-]+)/.exec(command) ?? [];
    return scripts[name] ?? command;
  });
  return planBuild(texts.join("\n"), sources, project.manager.name);
}

function explain({ manager, root }: Project, command: string | null): Outcome<Setup>["findings"] {
  const { name, evidence } = manager;
  if (command === null) return [];
  const file = evidence ?? "package.json";
  const key = evidence === "package.json" ? "packageManager" : null;
  return [{ about: "package manager", value: name, file: nameOf(root, file), key }];
}
