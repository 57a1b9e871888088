import path from "node:path";

import type { Answers } from "../../../environment/manifest.ts";
import { findPackageFile, PACKAGE_FILE } from "../../reading/package-file.ts";
import type { Outcome } from "../signs/outcome.ts";
import { listFolder } from "../signs/text-file.ts";
import { type AppPlan, moveBelow } from "./app-plan.ts";
import { isNoApp, planApp } from "./plan-app.ts";

/** Folders that hold apps rather than being one. */
const GROUPS = ["apps", "services", "packages"];
/** Whose apps are for whoever reads them, or tests. */
const ASIDE =
  /^(?:\.|node_modules$|v?env$|docs?$|examples?$|samples?$|demos?$|templates?$|tests?$|e2e$|scripts?$|tools?$|vendor$|deps$|_build$|infra|dist$|build$|public$|static$)/;
/** Beside an app at the root, these alone are thought to belong to it. */
const BESIDE = /^(?:(?:apps|services)\/[\w.-]+|backend|api|server)$/;
const PLAIN = /^[\w./@+-]+$/;
const MAX_FOLDERS = 40;

/** Apps in folders of their own, of a repository that is no app itself and whose packages are not installed together. */
export async function planFolders(
  root: string,
  answers: Answers,
): Promise<readonly Outcome<AppPlan>[]> {
  const folders = await listCandidates(root);
  const plans = await Promise.all(folders.map((folder) => planFolder(root, folder, answers)));
  return plans.filter((plan) => plan !== undefined);
}

/** Servers of other languages beside an app that package.json starts. */
export async function planBeside(
  root: string,
  answers: Answers,
): Promise<readonly Outcome<AppPlan>[]> {
  const beside = (await listCandidates(root)).filter((folder) => BESIDE.test(folder));
  const plans = await Promise.all(
    beside.map(async (folder) => {
      const file = await findPackageFile(root, path.posix.join(folder, PACKAGE_FILE));
      return file === undefined ? planFolder(root, folder, answers) : undefined;
    }),
  );
  return plans.filter((plan) => plan !== undefined);
}

async function planFolder(
  root: string,
  folder: string,
  answers: Answers,
): Promise<Outcome<AppPlan> | undefined> {
  const file = await findPackageFile(root, path.posix.join(folder, PACKAGE_FILE));
  try {
    const plan = await planApp(path.join(root, folder), { file, answers, isAlone: false });
    return plan === undefined ? undefined : moveBelow(plan, folder);
  } catch (error) {
    // A library among the apps.
    if (isNoApp(error)) return undefined;
    throw error;
  }
}

async function listCandidates(root: string): Promise<readonly string[]> {
  const direct = await listFolders(root, "");
  const grouped = await Promise.all(
    GROUPS.filter((name) => direct.includes(name)).map((name) => listFolders(root, name)),
  );
  return [...direct, ...grouped.flat()].filter((name) => PLAIN.test(name)).slice(0, MAX_FOLDERS);
}

async function listFolders(root: string, folder: string): Promise<readonly string[]> {
  const entries = await listFolder(path.join(root, folder));
  return entries
    .filter(({ name, isFolder }) => isFolder && !ASIDE.test(name))
    .map(({ name }) => path.posix.join(folder, name))
    .toSorted();
}
