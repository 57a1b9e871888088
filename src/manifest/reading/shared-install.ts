import path from "node:path";

import { exists } from "../../base/remove-inside.ts";
import { findPackageFile } from "./package-file.ts";
import { findManagerOf } from "./package-manager.ts";

/** What a package manager runs of the app's own after it has installed its packages. */
const OWN_SCRIPTS = ["install", "postinstall", "prepare"];
/** Installed without being told what to make, these make what belongs to one branch alone. */
const GENERATING = ["@prisma/client"];

/** `scripts`: to be run where the packages were not installed, but copied. */
export type SharedInstall = { readonly scripts: readonly string[] };

/**
 * Whether packages that were installed in a tree with the same lock file may be copied into this one; undefined: no. In
 * a workspace each of its packages may have scripts that write into them.
 */
export async function findSharedInstall(
  folder: string,
  setup: string,
): Promise<SharedInstall | undefined> {
  const file = await findPackageFile(folder);
  const manager = findManagerOf(setup);
  if (file === undefined || manager === undefined || file.workspaces !== undefined)
    return undefined;
  if (await exists(path.join(folder, "pnpm-workspace.yaml"))) return undefined;
  const own = file.scripts ?? {};
  const names = OWN_SCRIPTS.filter((name) => own[name] !== undefined);
  const run = [setup, ...names.map((name) => own[name])].join(" ");
  const groups = [file.dependencies, file.devDependencies];
  const generates = GENERATING.some((name) => groups.some((group) => group?.[name] !== undefined));
  if (generates && !/\bprisma\s+generate\b/.test(run)) return undefined;
  return { scripts: names.map((name) => `${manager} run ${name}`) };
}
