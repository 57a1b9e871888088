import path from "node:path";

import type { Answers } from "../../../environment/manifest.ts";
import { findPackageManager, type PackageManager } from "../../reading/package-manager.ts";
import { readCode } from "../signs/code.ts";
import { readSources, type Sources } from "../signs/sources.ts";
import { type Member, readMembers } from "../signs/workspaces.ts";
import type { Start } from "./plan-processes.ts";

/** All that was read of an app's files, but the code that its processes begin with. */
export type Project = {
  readonly root: Sources;
  readonly members: readonly Sources[];
  readonly manager: PackageManager;
  readonly readCode: Start["readCode"];
};

/** @throws `detection_ambiguous`, `manifest_invalid` */
export async function readProject(
  folder: string,
  root: Sources,
  answers: Answers,
): Promise<Project> {
  const packages = await readMembers(folder, root.file);
  return {
    root,
    manager: findPackageManager(root.paths, root.file, answers.packageManager),
    members: await Promise.all(packages.map((member) => readMember(folder, member))),
    readCode: (inner, entry) => readCode(path.join(folder, inner), entry),
  };
}

function readMember(root: string, { folder, file }: Member): Promise<Sources> {
  return readSources(root, folder, file);
}

/** How one of its packages is started. */
export function startOf({ manager, readCode: read }: Project, sources: Sources): Start {
  return { sources, manager: manager.name, readCode: read };
}
