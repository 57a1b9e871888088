import path from "node:path";

import { exists } from "../base/remove-inside.ts";
import type { PackageFile } from "./package-file.ts";

export type PackageManager = {
  readonly name: "npm" | "pnpm" | "yarn" | "bun";
  readonly install: string;
};

const MANAGERS: readonly { readonly lock: string; readonly manager: PackageManager }[] = [
  { lock: "pnpm-lock.yaml", manager: { name: "pnpm", install: "pnpm install --frozen-lockfile" } },
  { lock: "yarn.lock", manager: { name: "yarn", install: "yarn install --frozen-lockfile" } },
  { lock: "bun.lock", manager: { name: "bun", install: "bun install" } },
  { lock: "bun.lockb", manager: { name: "bun", install: "bun install" } },
  { lock: "package-lock.json", manager: { name: "npm", install: "npm ci" } },
  { lock: "npm-shrinkwrap.json", manager: { name: "npm", install: "npm ci" } },
];

/** Whose lock file is there; else whom `packageManager` names; else npm. */
export async function findPackageManager(
  folder: string,
  file: PackageFile,
): Promise<PackageManager> {
  for (const { lock, manager } of MANAGERS) {
    if (!(await exists(path.join(folder, lock)))) continue;
    return manager.name === "yarn" ? findYarn(folder, file) : manager;
  }
  const named = MANAGERS.find(({ manager }) => file.packageManager?.startsWith(`${manager.name}@`));
  const name = named?.manager.name ?? "npm";
  return { name, install: `${name} install` };
}

export async function hasOwnLockFile(folder: string): Promise<boolean> {
  for (const { lock } of MANAGERS) if (await exists(path.join(folder, lock))) return true;
  return false;
}

/** Yarn 2 and later renamed the flag that refuses to change the lock file. */
async function findYarn(
  folder: string,
  { packageManager = "" }: PackageFile,
): Promise<PackageManager> {
  const isClassic =
    packageManager === ""
      ? !(await exists(path.join(folder, ".yarnrc.yml")))
      : packageManager.startsWith("yarn@1");
  return {
    name: "yarn",
    install: `yarn install ${isClassic ? "--frozen-lockfile" : "--immutable"}`,
  };
}
