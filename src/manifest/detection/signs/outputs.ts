import path from "node:path";

import type { ManagerName } from "../../reading/package-manager.ts";
import { findSource, type Sources } from "./sources.ts";
import type { Member } from "./workspaces.ts";

const BUILT = /(?:^|["'/])(dist|build|out|lib|\.output)\/[^"']*/;
const ENVIRONMENT_FILE = /^\.env(?:\.local|\.development(?:\.local)?)?$/;

/** Where setup leaves what the app needs, in the order of its steps. */
export type Built = { readonly steps: readonly string[]; readonly folders: readonly string[] };

/** A script that runs what another one builds has it built before. */
export function planBuild(text: string, { file }: Sources, manager: ManagerName): Built {
  const [, folder] = /(?:^|\s)(?:\.\/)?(dist|build|out|\.output)\//.exec(text) ?? [];
  const build = file.scripts?.["build"];
  if (folder === undefined || build === undefined || /\bbuild\b|\btsc\b/.test(text))
    return { steps: [], folders: [] };
  return { steps: [`${manager} run build`], folders: [folder] };
}

/** The libraries that apps of the same repository use as they are built, each after those that it uses. */
export function planLibraries(
  members: readonly Member[],
  apps: readonly Member[],
  manager: ManagerName,
): Built {
  const ordered: Member[] = [];
  const queue = [...apps];
  for (const member of queue) {
    const used = members.filter(({ file }) => file.name !== undefined && uses(member, file.name));
    for (const library of used) {
      if (queue.length < members.length * 4) queue.push(library);
      ordered.unshift(library);
    }
  }
  const libraries = [...new Set(ordered)].filter((one) => !apps.includes(one) && isBuilt(one));
  return {
    steps: libraries.map(({ folder }) => `(cd ${folder} && ${manager} run build)`),
    folders: libraries.map(({ folder, file }) => path.posix.join(folder, outputOf(file))),
  };
}

function uses({ file }: Member, name: string): boolean {
  const groups = [file.dependencies, file.devDependencies];
  return groups.some((group) => group !== undefined && name in group);
}

function isBuilt({ folder, file }: Member): boolean {
  const isPlain = /^[\w./@+-]+$/.test(folder);
  return isPlain && file.scripts?.["build"] !== undefined && outputOf(file) !== "";
}

function outputOf({ main = "", exports }: Member["file"]): string {
  return BUILT.exec(main)?.[1] ?? BUILT.exec(JSON.stringify(exports ?? ""))?.[1] ?? "";
}

/** What git ignores and a fork needs besides what is built: packages, the person's own settings, generated code. */
export function listCloned(packages: readonly Sources[]): readonly string[] {
  const others = [...listSettings(packages), ...packages.flatMap(listGenerated)];
  return ["node_modules", ...new Set(others)];
}

/** Files of variables that are a person's own. */
export function listSettings(packages: readonly Sources[]): readonly string[] {
  const settings = packages.flatMap(({ paths }) =>
    [...paths].filter((name) => ENVIRONMENT_FILE.test(name)),
  );
  return settings.toSorted();
}

/** Prisma's client where it is not written into node_modules. */
function listGenerated(sources: Sources): readonly string[] {
  const schema = findSource(sources, /\.prisma$/);
  const [, output] =
    /\bgenerator\s[^}]*?\boutput\s*=\s*["']([^"']+)["']/.exec(schema?.text ?? "") ?? [];
  if (schema === undefined || output === undefined) return [];
  const inner = path.posix.join(sources.folder, path.posix.dirname(schema.name), output);
  const isInside = !inner.startsWith("..") && !inner.startsWith("/") && inner !== ".";
  return isInside && !inner.includes("node_modules") ? [inner.replace(/\/$/, "")] : [];
}
