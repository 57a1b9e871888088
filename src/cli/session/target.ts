import { open } from "node:fs/promises";
import path from "node:path";

import { hasErrorCode, Problem } from "../../base/problem.ts";
import {
  DEVELOPMENT,
  parseAppName,
  parseEnvironmentName,
  suggestAppName,
} from "../../environment/name.ts";
import type { AppName, EnvironmentName } from "../../environment/name.ts";
import { findMainBinding, findOrigin } from "../../workspace/workspace.ts";
import type { Workspace } from "../../workspace/workspace.ts";
import { appUnclear, bindingElsewhere, environmentUnbound } from "./problems.ts";

export type Target = { readonly app: AppName; readonly environment: EnvironmentName };

/** What decides which app and environment a command is about. */
export type TargetSources = {
  /** --app and --env. */
  readonly chosen: { readonly app: string | null; readonly environment: string | null };
  /** The folder of the server that is asked. */
  readonly home: string;
  workspace(): Promise<Workspace>;
  /** The names of all apps. */
  listApps(): Promise<readonly string[]>;
  /** The app that runs on a folder. */
  findAppOf(folder: string): Promise<string | null>;
};

/** @throws `app_unclear` when several could be meant, or there is none */
export async function requireApp(sources: TargetSources): Promise<AppName> {
  const app = await findApp(sources);
  if (app === undefined) throw appUnclear(await sources.listApps());
  return app;
}

/** From the surest sign to the faintest; `undefined` when none of them says it. */
export async function findApp(sources: TargetSources): Promise<AppName | undefined> {
  if (sources.chosen.app !== null) return parseAppName(sources.chosen.app);
  const workspace = await sources.workspace();
  const bound = await findBoundApp(sources, workspace);
  if (bound !== undefined) return parseAppName(bound);
  // Loaded only here: most commands know the app before they come to this.
  const { findAppFolder } = await import("../../manifest/manifest.ts");
  const folder = await findAppFolder(workspace.folder, workspace.root);
  const name =
    (await findNamedApp(folder)) ??
    (await findAppOfRelatives(sources, workspace, folder)) ??
    (await findAppByName(sources, folder));
  return name === undefined ? undefined : parseAppName(name);
}

/** The environment that a command without an argument for it is about. @throws `environment_unbound`, `binding_elsewhere` */
export async function requireTarget(sources: TargetSources): Promise<Target> {
  const { app, environment } = sources.chosen;
  if (environment !== null) {
    const name = parseEnvironmentName(environment);
    return { app: await requireApp(sources), environment: name };
  }
  const { binding } = await sources.workspace();
  if (binding === null || (app !== null && parseAppName(app) !== binding.app))
    throw environmentUnbound();
  if (binding.home !== sources.home)
    throw bindingElsewhere(`${binding.app}/${binding.environment}`, binding.home);
  return { app: parseAppName(binding.app), environment: parseEnvironmentName(binding.environment) };
}

/**
 * What a new environment is forked from when nobody says it: the first of these that there is, since a binding may
 * name an environment that was deleted.
 */
export async function listSources(
  sources: TargetSources,
  app: AppName,
): Promise<[EnvironmentName, ...EnvironmentName[]]> {
  const workspace = await sources.workspace();
  const bindings = [workspace.binding, await findMainBinding(workspace)];
  const bound = bindings.flatMap((binding) =>
    binding?.app === app && binding.home === sources.home
      ? [parseEnvironmentName(binding.environment)]
      : [],
  );
  const [first = DEVELOPMENT, ...others] = bound;
  return [first, ...others, DEVELOPMENT];
}

async function findBoundApp(
  { home }: TargetSources,
  workspace: Workspace,
): Promise<string | undefined> {
  if (workspace.binding?.home === home) return workspace.binding.app;
  const main = await findMainBinding(workspace);
  return main?.home === home ? main.app : undefined;
}

async function findNamedApp(folder: string): Promise<string | undefined> {
  try {
    return await readManifestApp(folder);
  } catch (error) {
    // What is wrong with a manifest is said where it is run; here it only fails to name the app.
    if (error instanceof Problem) return undefined;
    throw error;
  }
}

async function readManifestApp(folder: string): Promise<string | undefined> {
  const { findManifest } = await import("../../manifest/manifest.ts");
  return (await findManifest(folder))?.app ?? undefined;
}

/** A worktree's main worktree, and the folder that a clone was made from, may be an environment's, or hold one's in the same place. */
async function findAppOfRelatives(
  sources: TargetSources,
  workspace: Workspace,
  own: string,
): Promise<string | undefined> {
  const roots = [workspace.root, workspace.git?.main ?? null, await findOrigin(workspace)];
  const inner = path.relative(workspace.root, own);
  const relatives = roots
    .filter((root) => root !== null)
    .flatMap((root) => [path.join(root, inner), root]);
  for (const folder of new Set(relatives)) {
    const app = await sources.findAppOf(folder);
    if (app !== null) return app;
  }
  return undefined;
}

async function findAppByName(sources: TargetSources, folder: string): Promise<string | undefined> {
  const apps = await sources.listApps();
  const suggested = [await readPackageName(folder), path.basename(folder)]
    .filter((text) => text !== null)
    .map((text) => suggestAppName(text));
  return suggested.find((name) => apps.includes(name)) ?? (apps.length === 1 ? apps[0] : undefined);
}

const MAX_PACKAGE_BYTES = 1024 * 1024;

async function readPackageName(folder: string): Promise<string | null> {
  const text = await readStart(path.join(folder, "package.json"));
  try {
    const value: unknown = text === null ? null : JSON.parse(text);
    const hasName = typeof value === "object" && value !== null && "name" in value;
    return hasName && typeof value.name === "string" ? value.name : null;
  } catch {
    // A broken package.json only fails to name the app; whoever runs it says what is wrong with it.
    return null;
  }
}

async function readStart(file: string): Promise<string | null> {
  try {
    const handle = await open(file, "r");
    try {
      const { bytesRead, buffer } = await handle.read(
        Buffer.alloc(MAX_PACKAGE_BYTES),
        0,
        MAX_PACKAGE_BYTES,
        0,
      );
      return buffer.subarray(0, bytesRead).toString("utf8");
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR", "EISDIR")) return null;
    throw error;
  }
}
