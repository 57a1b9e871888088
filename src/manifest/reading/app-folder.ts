import path from "node:path";

import { exists } from "../../base/remove-inside.ts";
import { findPackageFile } from "./package-file.ts";
import { hasOwnLockFile } from "./package-manager.ts";
import { packagesShared } from "./problems.ts";
import { RAMET_FILE } from "./ramet-file.ts";

/** Beside them an app begins, whatever it is written in. */
export const TELLING_FILES: readonly string[] = [
  "package.json",
  "manage.py",
  "requirements.txt",
  "pyproject.toml",
  "Gemfile",
  "composer.json",
  "mix.exs",
  "Procfile",
  "Procfile.dev",
];

/** Which folder between here and the root holds the app: the nearest with a ramet.json, else with such a file, else the root. */
export async function findAppFolder(here: string, root: string): Promise<string> {
  const folders = listUpwards(here, root);
  for (const names of [[RAMET_FILE], TELLING_FILES]) {
    for (const folder of folders) if (await holdsOne(folder, names)) return folder;
  }
  return root;
}

async function holdsOne(folder: string, names: readonly string[]): Promise<boolean> {
  const found = await Promise.all(names.map((name) => exists(path.join(folder, name))));
  return found.includes(true);
}

/**
 * A member of npm's, Yarn's or pnpm's workspaces has its packages in a folder above it, which a fork of the member
 * alone would lack. One with a lock file of its own is no member. @throws `packages_shared`
 */
export async function assertStandsAlone(folder: string, root: string): Promise<void> {
  if (folder === root || (await findPackageFile(folder)) === undefined) return;
  if (await hasOwnLockFile(folder)) return;
  for (const above of listUpwards(path.dirname(folder), root)) {
    if (await hasWorkspaces(above)) throw packagesShared(folder, above);
  }
}

/** From the inner folder to the outer one; the root alone when the folder is not inside it. */
function listUpwards(here: string, root: string): readonly string[] {
  const inner = path.relative(root, here);
  if (inner === "" || inner.split(path.sep)[0] === ".." || path.isAbsolute(inner)) return [root];
  const parts = inner.split(path.sep);
  return [...parts.keys()]
    .map((index) => path.join(root, ...parts.slice(0, index + 1)))
    .toReversed()
    .concat(root);
}

async function hasWorkspaces(folder: string): Promise<boolean> {
  if (await exists(path.join(folder, "pnpm-workspace.yaml"))) return true;
  return (await findPackageFile(folder))?.workspaces !== undefined;
}
