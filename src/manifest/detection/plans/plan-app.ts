import { Problem } from "../../../base/problem.ts";
import type { Answers } from "../../../environment/manifest.ts";
import type { PackageFile } from "../../reading/package-file.ts";
import type { Outcome } from "../signs/outcome.ts";
import { readSources } from "../signs/sources.ts";
import { findDjango } from "../stacks/django.ts";
import { findFastApi } from "../stacks/fastapi.ts";
import { findFlask } from "../stacks/flask.ts";
import { findLaravel } from "../stacks/laravel.ts";
import { findPhoenix } from "../stacks/phoenix.ts";
import { findPlatformProcfile, type Procfile, readProcfile } from "../stacks/procfile.ts";
import { findRails } from "../stacks/rails.ts";
import { type AppFiles, type Stack, toAppFiles } from "../stacks/stack.ts";
import { findStaticSite } from "../stacks/static-site.ts";
import type { AppPlan } from "./app-plan.ts";
import { planNodeApp } from "./plan-node-app.ts";
import { planStack, toPlanned } from "./plan-stack.ts";

type FindStack = (files: AppFiles) => Promise<Stack | undefined>;

/** A file of theirs says for sure that the app is theirs: a package.json beside it is for their pages' assets. */
const CERTAIN: readonly FindStack[] = [findRails, findLaravel, findDjango, findPhoenix];
/** These are looked for where package.json starts nothing. */
const LIKELY: readonly FindStack[] = [findFastApi, findFlask, findPlatformProcfile];

export type AppChoice = {
  /** undefined: there is no package.json. */
  readonly file: PackageFile | undefined;
  readonly answers: Answers;
  /** Whether a page without any program is an app. */
  readonly isAlone: boolean;
};

/**
 * How the app in a folder is run; undefined: there is none.
 * @throws `detection_ambiguous`, `app_no_command`, `app_script_ends`, `manifest_invalid`
 */
export async function planApp(
  folder: string,
  { file, answers, isAlone }: AppChoice,
): Promise<Outcome<AppPlan> | undefined> {
  const sources = await readSources(folder, ".", file ?? {});
  const files = toAppFiles(folder, sources);
  const procfile = await readProcfile(files, "Procfile.dev");
  const certain = await findFirst(CERTAIN, files);
  if (certain !== undefined) return planStack(certain, { sources, answers, procfile });
  const isNode = file !== undefined;
  const node = isNode ? await tryNode(folder, { files, answers, procfile }) : undefined;
  if (node !== undefined && !(node instanceof Problem)) return node;
  const likely = await findFirst(isAlone ? [...LIKELY, findStaticSite] : LIKELY, files);
  if (likely !== undefined) return planStack(likely, { sources, answers, procfile });
  if (node !== undefined) throw node;
  return undefined;
}

/** The problem that nothing in package.json starts the app, where that is so. */
async function tryNode(
  folder: string,
  {
    files: root,
    answers,
    procfile,
  }: {
    readonly files: AppFiles;
    readonly answers: Answers;
    readonly procfile: Procfile | undefined;
  },
): Promise<Outcome<AppPlan> | Problem> {
  const said =
    procfile === undefined
      ? undefined
      : {
          planned: procfile.processes.map((one) => toPlanned(one, root)),
          source: procfile.file,
        };
  try {
    return await planNodeApp(folder, { root, answers, said });
  } catch (error) {
    if (isNoApp(error)) return error;
    throw error;
  }
}

/** What package.json alone cannot answer, and other files may. */
export function isNoApp(error: unknown): error is Problem {
  return error instanceof Problem && /^app_(?:no_command|script_ends)$/.test(error.code);
}

async function findFirst(
  stacks: readonly FindStack[],
  files: AppFiles,
): Promise<Stack | undefined> {
  for (const find of stacks) {
    const stack = await find(files);
    if (stack !== undefined) return stack;
  }
  return undefined;
}
