import path from "node:path";

import { formatHost } from "../../environment/address.ts";
import type { EnvironmentRecord } from "../../environment/environment.ts";
import type { Manifest } from "../../environment/manifest.ts";
import { MARK_VARIABLE } from "../../environment/places.ts";
import { findFreePort, isPortFree } from "../../process/process.ts";
import type { Isolation, RuntimePlan, Sandbox, StepPlan } from "../../runtime/runtime.ts";
import { openVariables } from "../../variables/variables.ts";
import type { VariableStore } from "../../variables/variables.ts";
import type { Layout } from "../home/layout.ts";
import { findProcessUser } from "../home/users.ts";
import type { EngineContext } from "../machine/context.ts";
import { inheritInside, planEnvironmentSandbox } from "./environment-sandbox.ts";
import { type Isolated, chooseIsolation } from "./isolation.ts";
import { planBounds } from "./limiting.ts";
import {
  findMainProcess,
  planCommandEnvironment,
  planCommandVariables,
  planProcesses,
} from "./process-plans.ts";
import type { PlanInput } from "./process-plans.ts";

/** In `ports`: where an environment's own processes reach its database; no process can bear this name. */
const DATABASE_PORT = "$database";
/** Where an app that was written for one machine alone expects itself and its database. */
const FIRST_OWN_PORT = 3000;
const POSTGRES_PORT = 5432;
/** Below it are ports that were given in a network of its own. */
const FIRST_SHARED_PORT = 20_000;

/** Beside the launcher, in a checkout as in an installation. */
const OWN_PORT_PRELOAD = path.join(import.meta.dirname, "..", "..", "..", "bin", "own-port.cjs");

export function variableStore(
  layout: Layout,
  { id }: Pick<EnvironmentRecord, "id">,
): VariableStore {
  return { file: layout.variables(id), id, keys: layout.keys };
}

/** The port it had is kept while it is free: an address that someone wrote down stays good. */
export async function assignPorts(
  context: EngineContext,
  record: Isolated & Pick<EnvironmentRecord, "ports">,
  manifest: Manifest,
): Promise<Record<string, number>> {
  const { kind } = await chooseIsolation(context, record, manifest);
  return kind === "isolated" ? assignOwnPorts(manifest) : assignSharedPorts(record.ports, manifest);
}

async function assignSharedPorts(
  before: EnvironmentRecord["ports"],
  manifest: Manifest,
): Promise<Record<string, number>> {
  const names = Object.entries(manifest.processes).flatMap(([name, { port }]) =>
    port ? [name] : [],
  );
  const ports: Record<string, number> = {};
  for (const name of manifest.database === null ? names : [...names, DATABASE_PORT]) {
    const port = before[name];
    const isKept = port !== undefined && port >= FIRST_SHARED_PORT && (await isPortFree(port));
    ports[name] = isKept ? port : await findFreePort();
  }
  return ports;
}

/** In a network of its own nobody else has any: the one that its code names, else the usual ones. */
function assignOwnPorts(manifest: Manifest): Record<string, number> {
  const processes = Object.entries(manifest.processes).filter(([, { port }]) => port);
  const ports: Record<string, number> =
    manifest.database === null ? {} : { [DATABASE_PORT]: POSTGRES_PORT };
  for (const [name, { ownPort }] of processes) if (ownPort !== null) ports[name] = ownPort;
  let next = FIRST_OWN_PORT;
  for (const [name] of processes) {
    while (Object.values(ports).includes(next)) next += 1;
    ports[name] ??= next;
  }
  return ports;
}

/** For a wake. Those of processes that were started ahead of the record are in use: by themselves. */
export async function choosePorts(
  context: EngineContext,
  record: EnvironmentRecord,
  manifest: Manifest,
): Promise<EnvironmentRecord["ports"]> {
  // One that did not start is met by the wake, which starts another.
  const early = await context.keepers.get(record.id)?.catch(() => undefined);
  const isAhead = early !== undefined && early.processes().length > 0;
  return isAhead ? record.ports : assignPorts(context, record, manifest);
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
  const isolation = await chooseIsolation(context, record, manifest);
  const port = record.ports[DATABASE_PORT];
  const database = port === undefined ? null : planDatabase(context, record, { port, isHeld });
  const databaseUrl = database?.url ?? null;
  return {
    processes: planProcesses(
      await planInput(context, record, { manifest, isolation, databaseUrl }),
    ),
    relays: database === null ? [] : [database.relay],
    ...planOwnNetwork(context, record, { manifest, isolation }),
  };
}

export type StepCommand = Pick<StepPlan, "name" | "command" | "timeoutMs"> & {
  /** On top of what every command gets. */
  readonly environment?: Readonly<Record<string, string>>;
  /** What it sees besides, to read. */
  readonly shown?: readonly string[];
};

/** A command that the server has run in the environment; where the network is the machine's, the database through the wire gateway. */
export async function planStep(
  context: EngineContext,
  record: EnvironmentRecord,
  { manifest, step }: { readonly manifest: Manifest; readonly step: StepCommand },
): Promise<StepPlan> {
  const isolation = await chooseIsolation(context, record, manifest);
  const isIsolated = isolation.kind === "isolated";
  const database = isIsolated
    ? planDatabase(context, record, { port: POSTGRES_PORT, isHeld: false })
    : null;
  const databaseUrl = isIsolated ? (database?.url ?? null) : formatDatabaseUrl(context, record);
  const input = await planInput(context, record, { manifest, isolation, databaseUrl });
  const { mark } = context.layout.runtimePlace(record.id, input.user);
  return {
    name: step.name,
    command: step.command,
    timeoutMs: step.timeoutMs,
    folder: record.files.path,
    environment: {
      ...planCommandEnvironment(input),
      ...step.environment,
      [MARK_VARIABLE]: mark,
    },
    sandbox: input.sandbox === null ? null : showAlso(input.sandbox, step.shown ?? []),
    bounds: input.bounds,
    relays: database === null ? [] : [database.relay],
    wayOut: planOwnNetwork(context, record, { manifest, isolation }).wayOut,
  };
}

function showAlso(sandbox: Sandbox, shown: readonly string[]): Sandbox {
  const read = shown.map((file) => ({ kind: "read" as const, from: file, to: file }));
  return { ...sandbox, mounts: [...sandbox.mounts, ...read] };
}

/** How those in a network of their own are reached from outside, reach themselves by name, and the world. */
function planOwnNetwork(
  { layout, listeners }: EngineContext,
  record: EnvironmentRecord,
  { manifest, isolation }: { readonly manifest: Manifest; readonly isolation: Isolation },
): Pick<RuntimePlan, "inlets" | "addresses" | "wayOut"> {
  if (isolation.kind === "ports") return { inlets: null, addresses: null, wayOut: null };
  const { network } = manifest;
  const hosts = network === "open" ? null : network;
  const taken = Object.values(record.ports).toSorted((one, other) => one - other);
  return {
    inlets: layout.keeperSockets(record.id),
    addresses: { port: listeners().gatewayPort, hosts: listOwnHosts(record, manifest) },
    wayOut: hosts === "none" ? null : { socket: layout.wayOut, hosts, taken },
  };
}

function listOwnHosts(record: EnvironmentRecord, manifest: Manifest): Record<string, number> {
  const main = findMainProcess(manifest);
  const named = Object.keys(manifest.processes).flatMap((process) => {
    const port = record.ports[process];
    if (port === undefined) return [];
    const { app, name: environment } = record;
    const host = formatHost({ app, environment, process: process === main ? null : process });
    return [[host, port] as const];
  });
  return Object.fromEntries(named);
}

function planDatabase(
  { layout }: EngineContext,
  { id, database }: EnvironmentRecord,
  { port, isHeld }: { readonly port: number; readonly isHeld: boolean },
): { readonly url: string; readonly relay: RuntimePlan["relays"][number] } | null {
  if (database === null) return null;
  return {
    url: `postgresql://app:${database.appPassword}@127.0.0.1:${port}/${database.name}`,
    relay: { port, socket: `${layout.databaseSockets(id)}/.s.PGSQL.5432`, isHeld },
  };
}

/** What a command in somebody's shell gets on top of its own environment: it runs outside, on the machine's network. */
export async function planCommandOverlay(
  context: EngineContext,
  record: EnvironmentRecord,
  manifest: Manifest,
): Promise<Readonly<Record<string, string>>> {
  const databaseUrl = formatDatabaseUrl(context, record);
  const isolation = OUTSIDE;
  return planCommandVariables(
    await planInput(context, record, { manifest, isolation, databaseUrl }),
  );
}

const OUTSIDE: Isolation = { kind: "ports", why: "it runs in a shell", remedy: "None is needed." };

/** The database's address in its final form, through the wire gateway; null where there is none. */
export function formatDatabaseUrl(
  { listeners }: EngineContext,
  { id, database }: EnvironmentRecord,
): string | null {
  if (database === null) return null;
  return `postgresql://${id}:${database.appPassword}@127.0.0.1:${listeners().databasePort}/${database.name}`;
}

async function planInput(
  context: EngineContext,
  record: EnvironmentRecord,
  {
    manifest,
    isolation,
    databaseUrl,
  }: {
    readonly manifest: Manifest;
    readonly isolation: Isolation;
    readonly databaseUrl: string | null;
  },
): Promise<PlanInput> {
  const { layout, listeners, inherited } = context;
  const home = layout.userHome(record.id);
  const user = await findProcessUser(layout, record);
  const sandbox = await planEnvironmentSandbox(context, record, { isolation, manifest, user });
  return {
    record,
    manifest,
    variables: await openVariables(variableStore(layout, record)),
    listeners: listeners(),
    databaseUrl,
    user: user !== null && sandbox !== null ? { ...user, home } : user,
    inherited: sandbox === null ? inherited : inheritInside(inherited, { home, sandbox }),
    compileCache: `${home}/compile-cache`,
    ownPortPreload: OWN_PORT_PRELOAD,
    sandbox,
    bounds: planBounds(manifest, sandbox !== null),
  };
}
