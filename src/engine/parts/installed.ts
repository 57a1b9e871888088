import path from "node:path";

import { statIfThere } from "../processes/manifests.ts";

/** What package managers install by. */
const LOCKS = [
  "package-lock.json",
  "npm-shrinkwrap.json",
  "pnpm-lock.yaml",
  "yarn.lock",
  "bun.lock",
  "bun.lockb",
];
/** What they leave when they are done: npm, pnpm, Yarn 1, later ones, others. */
const TRACES = [
  "node_modules/.package-lock.json",
  "node_modules/.modules.yaml",
  "node_modules/.yarn-integrity",
  "node_modules/.yarn-state.yml",
  "node_modules",
];
const INSTALL =
  /^\s*(?:(?:npm|pnpm|bun)\s+(?:ci|i|install)|yarn(?:\s+install)?)(?:\s+--?[\w=-]+)*\s*(?:&&\s*|$)/;

/**
 * What of a setup is to be run in a tree: all, or, where its packages were installed since their lock file changed, what
 * comes after the install; null when that is nothing.
 */
export async function findDueSetup(folder: string, setup: string | null): Promise<string | null> {
  const parts = setup === null ? undefined : splitInstall(setup);
  if (parts === undefined || !(await isInstalled(folder))) return setup;
  return parts.rest === "" ? null : parts.rest;
}

/** A setup that begins with an install of packages by their lock file, and what comes after that; undefined: it does not. */
export function splitInstall(
  setup: string,
): { readonly install: string; readonly rest: string } | undefined {
  const [install] = INSTALL.exec(setup) ?? [];
  if (install === undefined) return undefined;
  return {
    install: install.replace(/&&\s*$/, "").trim(),
    rest: setup.slice(install.length).trim(),
  };
}

async function isInstalled(folder: string): Promise<boolean> {
  const [traces, locks] = await Promise.all(
    [TRACES, LOCKS].map(async (names) =>
      Promise.all(names.map(async (name) => statIfThere(path.join(folder, name)))),
    ),
  );
  const installed = traces?.find((found) => found !== undefined);
  if (installed === undefined) return false;
  return (locks ?? []).every((lock) => lock === undefined || lock.mtimeMs <= installed.mtimeMs);
}
