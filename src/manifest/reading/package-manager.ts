import path from "node:path";

import { exists } from "../../base/remove-inside.ts";
import type { PackageFile } from "./package-file.ts";
import { managerAmbiguous } from "./problems.ts";

export type ManagerName = "npm" | "pnpm" | "yarn" | "bun";

export type PackageManager = {
  readonly name: ManagerName;
  readonly install: string;
  /** The file that names it; null: nothing does. */
  readonly evidence: string | null;
};

const LOCK_FILES: readonly { readonly lock: string; readonly name: ManagerName }[] = [
  { lock: "pnpm-lock.yaml", name: "pnpm" },
  { lock: "yarn.lock", name: "yarn" },
  { lock: "bun.lock", name: "bun" },
  { lock: "bun.lockb", name: "bun" },
  { lock: "package-lock.json", name: "npm" },
  { lock: "npm-shrinkwrap.json", name: "npm" },
];
const NAMES: readonly ManagerName[] = ["npm", "pnpm", "yarn", "bun"];

/**
 * Whose lock file is there; of several the one that package.json names, or else the answer; without one whom
 * package.json names, or npm. @throws `detection_ambiguous`
 */
export function findPackageManager(
  paths: ReadonlySet<string>,
  file: PackageFile,
  answer: string | undefined,
): PackageManager {
  const locks = LOCK_FILES.filter(({ lock }) => paths.has(lock));
  const named = NAMES.find((name) => file.packageManager?.startsWith(`${name}@`) === true);
  const candidates = [...new Set(locks.map(({ name }) => name))];
  const [only] = candidates;
  if (only === undefined) {
    const name = named ?? NAMES.find((one) => one === answer) ?? "npm";
    const evidence = named === undefined ? null : "package.json";
    return { name, install: `${name} install`, evidence };
  }
  const name =
    candidates.length === 1
      ? only
      : (candidates.find((one) => one === (named ?? answer)) ??
        candidates.find((one) => one === answer));
  if (name === undefined)
    throw managerAmbiguous(
      locks.map(({ lock }) => lock),
      candidates,
    );
  const evidence = locks.find((one) => one.name === name)?.lock ?? null;
  return { name, install: installWith(name, paths, file), evidence };
}

/** Which one a command of a person's begins with. */
export function findManagerOf(command: string | undefined): ManagerName | undefined {
  return NAMES.find((name) => new RegExp(`(?:^|[\\s;&])${name}\\s`).test(command ?? ""));
}

/** A program of the packages, found as this one finds it. */
export function executeWith(name: ManagerName, command: string): string {
  const words: Readonly<Record<ManagerName, string>> = {
    npm: "npx",
    pnpm: "pnpm exec",
    yarn: "yarn run",
    bun: "bunx",
  };
  return `${words[name]} ${command}`;
}

/** npm keeps what follows a script for itself unless it stands behind `--`; the others pass it on. */
export function runScriptWith(name: ManagerName, script: string, flags: string | null): string {
  const run = `${name} run ${script}`;
  if (flags === null) return run;
  return name === "npm" ? `${run} -- ${flags}` : `${run} ${flags}`;
}

export async function hasOwnLockFile(folder: string): Promise<boolean> {
  for (const { lock } of LOCK_FILES) if (await exists(path.join(folder, lock))) return true;
  return false;
}

/** The packages as the lock file says, or not at all. */
function installWith(name: ManagerName, paths: ReadonlySet<string>, file: PackageFile): string {
  if (name === "npm") return "npm ci";
  if (name === "pnpm") return "pnpm install --frozen-lockfile";
  if (name === "bun") return "bun install";
  // Yarn 2 and later renamed the flag.
  const { packageManager = "" } = file;
  const isClassic = packageManager.startsWith("yarn@")
    ? packageManager.startsWith("yarn@1")
    : !paths.has(".yarnrc.yml");
  return `yarn install ${isClassic ? "--frozen-lockfile" : "--immutable"}`;
}
