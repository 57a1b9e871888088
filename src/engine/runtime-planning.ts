import path from "node:path";

import type { EnvironmentRecord } from "../environment/environment.ts";
import type { Manifest } from "../environment/manifest.ts";
import { findFreePort, isPortFree } from "../process/process.ts";
import type { RuntimePlan } from "../runtime/runtime.ts";
import { openVariables } from "../variables/variables.ts";
import type { VariableStore } from "../variables/variables.ts";
import type { EngineContext } from "./context.ts";
import type { Layout } from "./layout.ts";
import { planCommandEnvironment, planCommandVariables, planProcesses } from "./process-plans.ts";
import type { PlanInput } from "./process-plans.ts";
import { findProcessUser } from "./users.ts";

/** In `ports`: where an environment's own processes reach its database; no process can bear this name. */
const DATABASE_PORT = "$database";

/** Beside the launcher, in a checkout as in an installation. */
const OWN_PORT_PRELOAD = path.join(import.meta.dirname, "..", "..", "bin", "own-port.cjs");

export function variableStore(
  layout: Layout,
  { id }: Pick<EnvironmentRecord, "id">,
): VariableStore {
  return { file: layout.variables(id), id, keys: layout.keys };
}

/** The port it had is kept while it is free: an address that someone wrote down stays good. */
export async function assignPorts(
  before: EnvironmentRecord["ports"],
  manifest: Manifest,
): Promise<Record<string, number>> {
  const names = Object.entries(manifest.processes).flatMap(([name, { port }]) =>
    port ? [name] : [],
  );
  const ports: Record<string, number> = {};
  for (const name of manifest.database === null ? names : [...names, DATABASE_PORT]) {
    const port = before[name];
    ports[name] = port !== undefined && (await isPortFree(port)) ? port : await findFreePort();
  }
  return ports;
}

/** For a wake. Those of processes that were started ahead of the record are in use: by themselves. */
export async function choosePorts(
  { keepers }: EngineContext,
  { id, ports }: EnvironmentRecord,
  manifest: Manifest,
): Promise<EnvironmentRecord["ports"]> {
  // One that did not start is met by the wake, which starts another.
  const early = await keepers.get(id)?.catch(() => undefined);
  const isAhead = early !== undefined && early.processes().length > 0;
  return isAhead ? ports : assignPorts(ports, manifest);
}

/**
 * What its keeper is to run. Its processes reach the database through the keeper's own listener, not through the
 * server's: their connections outlive the server, and can be held while the database is being made.
 */
export async function planRuntime(
  context: EngineContext,
  record: EnvironmentRecord,
  { manifest, isHeld }: { readonly manifest: Manifest; readonly isHeld: boolean },
): Promise<RuntimePlan> {
  const { database, id, ports } = record;
  const port = ports[DATABASE_PORT];
  if (database === null || port === undefined) {
    return {
      processes: planProcesses(await planInput(context, record, { manifest, databaseUrl: null })),
      relays: [],
    };
  }
  const databaseUrl = `postgres://app:${database.appPassword}@127.0.0.1:${port}/${database.name}`;
  const socket = `${context.layout.databaseSockets(id)}/.s.PGSQL.5432`;
  return {
    processes: planProcesses(await planInput(context, record, { manifest, databaseUrl })),
    relays: [{ port, socket, isHeld }],
  };
}

/** The environment of a command that the server runs; the database through the wire gateway. */
export async function planCommand(
  context: EngineContext,
  record: EnvironmentRecord,
  manifest: Manifest,
): Promise<Readonly<Record<string, string>>> {
  const databaseUrl = formatDatabaseUrl(context, record);
  return planCommandEnvironment(await planInput(context, record, { manifest, databaseUrl }));
}

/** The same without what the server's own environment gave: for a command in somebody's shell. */
export async function planCommandOverlay(
  context: EngineContext,
  record: EnvironmentRecord,
  manifest: Manifest,
): Promise<Readonly<Record<string, string>>> {
  const databaseUrl = formatDatabaseUrl(context, record);
  return planCommandVariables(await planInput(context, record, { manifest, databaseUrl }));
}

/** The database's address in its final form, through the wire gateway; null where there is none. */
export function formatDatabaseUrl(
  { listeners }: EngineContext,
  { id, database }: EnvironmentRecord,
): string | null {
  if (database === null) return null;
  return `postgres://${id}:${database.appPassword}@127.0.0.1:${listeners().databasePort}/${database.name}`;
}

async function planInput(
  { layout, listeners, inherited }: EngineContext,
  record: EnvironmentRecord,
  { manifest, databaseUrl }: { manifest: Manifest; databaseUrl: string | null },
): Promise<PlanInput> {
  return {
    record,
    manifest,
    variables: await openVariables(variableStore(layout, record)),
    listeners: listeners(),
    databaseUrl,
    user: await findProcessUser(layout, record),
    inherited,
    compileCache: `${layout.userHome(record.id)}/compile-cache`,
    ownPortPreload: OWN_PORT_PRELOAD,
  };
}
