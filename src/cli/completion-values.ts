import { Problem } from "../base/problem.ts";
import type { CallInput, CallName, CallOutput } from "../protocol/calls.ts";
import { findWorkspace } from "../workspace/workspace.ts";
import { callServer } from "./connection/client.ts";
import { placeIdOf, placeOf } from "./connection/place.ts";
import { findRemote } from "./connection/remote-server.ts";
import { findApp, requireTarget } from "./session/target.ts";
import type { TargetSources } from "./session/target.ts";
import type { Context } from "./terminal/context.ts";

/** What only a running server knows. */
export type LiveKind = "environment" | "app" | "process" | "variable" | "assignment";

/** Nobody waits longer for a word. */
const SILENCE_MS = 1_000;

/** The names of what there is; none where no server runs or nothing says which app is meant. Never a variable's value. */
export async function listLiveValues(
  kind: LiveKind,
  chosen: TargetSources["chosen"],
  context: Context,
): Promise<readonly string[]> {
  try {
    const there = { ...context, remote: await findRemote(context) };
    return await LISTS[kind](createSources(chosen, there), there);
  } catch (error) {
    // The command itself says what is wrong; a word that is being typed is no place for it.
    if (error instanceof Problem) return [];
    throw error;
  }
}

const LISTS: Readonly<
  Record<LiveKind, (sources: TargetSources, context: Context) => Promise<readonly string[]>>
> = {
  app: (sources) => sources.listApps(),
  environment: listEnvironments,
  process: listProcesses,
  variable: listVariables,
  assignment: async (sources, context) =>
    (await listVariables(sources, context)).map((name) => `${name}=`),
};

async function listEnvironments(
  sources: TargetSources,
  context: Context,
): Promise<readonly string[]> {
  const apps = await ask(context, "app.list", {});
  const app = await findApp(sources);
  return apps.flatMap(({ name, environments }) => (name === app ? environments : []));
}

async function listProcesses(sources: TargetSources, context: Context): Promise<readonly string[]> {
  const { processes } = await ask(context, "environment.show", await requireTarget(sources));
  return processes.map(({ name }) => name);
}

async function listVariables(sources: TargetSources, context: Context): Promise<readonly string[]> {
  const variables = await ask(context, "variable.list", await requireTarget(sources));
  return variables.map(({ name }) => name);
}

function createSources(chosen: TargetSources["chosen"], context: Context): TargetSources {
  return {
    chosen,
    home: placeIdOf(context),
    workspace: () => findWorkspace(context.folder),
    listApps: async () => (await ask(context, "app.list", {})).map(({ name }) => name),
    findAppOf: async (folder) =>
      context.remote === undefined ? (await ask(context, "app.find", { folder })).app : null,
  };
}

function ask<Name extends CallName>(
  context: Context,
  name: Name,
  input: CallInput<Name>,
): Promise<CallOutput<Name>> {
  const { signal } = context;
  return callServer(placeOf(context), { name, input }, { signal, silenceMs: SILENCE_MS });
}
