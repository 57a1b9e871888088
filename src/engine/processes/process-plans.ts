import path from "node:path";

import { formatHost } from "../../environment/address.ts";
import type { EnvironmentRecord, ProcessState } from "../../environment/environment.ts";
import type { Manifest, ProcessManifest } from "../../environment/manifest.ts";
import type { SystemUser } from "../../environment/places.ts";
import { variableMissing } from "../../environment/problems.ts";
import type { Bounds, ProcessPlan, Sandbox } from "../../runtime/runtime.ts";
import type { Listeners } from "../machine/context.ts";
import { moveOwnPort } from "./own-port.ts";

export type PlanInput = {
  readonly record: EnvironmentRecord;
  readonly manifest: Manifest;
  /** Plain values and opened secrets. */
  readonly variables: Readonly<Record<string, string>>;
  readonly listeners: Listeners;
  readonly databaseUrl: string | null;
  readonly user: SystemUser | null;
  /** What of the server's own environment its children may see. */
  readonly inherited: Readonly<Record<string, string>>;
  readonly compileCache: string;
  /** Makes a Node program listen on its `$PORT` where its code names another. */
  readonly ownPortPreload: string;
  /** What its processes see; null: the whole machine. */
  readonly sandbox: Sandbox | null;
  readonly bounds: Bounds;
};

const HOST = "127.0.0.1";

/** The process that the environment's own address leads to: the first that has a port. */
export function findMainProcess(manifest: Manifest): string | undefined {
  return Object.entries(manifest.processes).find(([, process]) => process.port)?.[0];
}

export function formatUrl(
  record: Pick<EnvironmentRecord, "app" | "name">,
  process: string | null,
  gatewayPort: number,
): string {
  return `http://${formatHost({ app: record.app, environment: record.name, process })}:${gatewayPort}`;
}

/** What each process is started with; one that lacks a required variable says so instead of starting. */
export function planProcesses(input: PlanInput): readonly ProcessPlan[] {
  const missing = listMissing(input);
  const problem = missing.length === 0 ? null : variableMissing(missing).toFields();
  return Object.entries(input.manifest.processes).map(([name, process]) => ({
    name,
    command: process.command,
    folder: path.join(input.record.files.path, process.folder),
    port: process.port ? (input.record.ports[name] ?? null) : null,
    ready: process.ready,
    environment: planProcessEnvironment(input, { name, process }),
    sandbox: input.sandbox,
    bounds: input.bounds,
    problem,
  }));
}

/** The environment of a command that is no process of its own: setup, migrate, seed, `run`. */
export function planCommandEnvironment(input: PlanInput): Readonly<Record<string, string>> {
  return planEnvironment(input, null);
}

/** The same without what was inherited: what a command in somebody's shell gets on top of its own environment. */
export function planCommandVariables(input: PlanInput): Readonly<Record<string, string>> {
  return planVariables(input, null);
}

/** The processes that a manifest names, while there is no keeper to ask. */
export function listUnstarted(
  manifest: Manifest | undefined,
  ports: EnvironmentRecord["ports"],
  state: "starting" | "stopped",
): readonly ProcessState[] {
  return Object.keys(manifest?.processes ?? {}).map((name) => ({
    name,
    state,
    port: ports[name] ?? null,
    pid: null,
    problem: null,
  }));
}

type Role = { readonly name: string; readonly process: ProcessManifest };

function planProcessEnvironment(input: PlanInput, role: Role): Readonly<Record<string, string>> {
  const environment = planEnvironment(input, role);
  const { port, ownPort: from } = role.process;
  const to = input.record.ports[role.name];
  if (!port || from === null || to === undefined || to === from) return environment;
  return moveOwnPort(environment, { from, to, preload: input.ownPortPreload });
}

function planEnvironment(input: PlanInput, role: Role | null): Readonly<Record<string, string>> {
  return { ...input.inherited, ...listUser(input, role), ...planVariables(input, role) };
}

function planVariables(input: PlanInput, role: Role | null): Readonly<Record<string, string>> {
  const own = { ...listOwn(input, role), ...listServices(input) };
  const user = listUser(input, role);
  const base = { ...input.inherited, ...user, ...own, ...listParts(input.databaseUrl) };
  const expanded = Object.entries(input.manifest.variables).flatMap(([name, { value }]) =>
    value === null ? [] : [[name, expand(value, base)] as const],
  );
  return { ...Object.fromEntries(expanded), ...input.variables, ...own };
}

/** Of the database's address, for apps that read it in pieces: `"PGHOST": "$DATABASE_HOST"`. */
function listParts(databaseUrl: string | null): Record<string, string> {
  if (databaseUrl === null) return {};
  const url = new URL(databaseUrl);
  return {
    DATABASE_HOST: url.hostname,
    DATABASE_PORT: url.port,
    DATABASE_USER: decodeURIComponent(url.username),
    DATABASE_PASSWORD: decodeURIComponent(url.password),
    DATABASE_NAME: decodeURIComponent(url.pathname.slice(1)),
  };
}

function listOwn(input: PlanInput, role: Role | null): Record<string, string> {
  const { record, listeners, databaseUrl } = input;
  const main = findMainProcess(input.manifest);
  const url = main === undefined ? undefined : formatUrl(record, null, listeners.gatewayPort);
  const isMain = role === null || role.name === main;
  const port = role === null ? undefined : record.ports[role.name];
  return {
    ...(role?.process.port === true && port !== undefined ? { PORT: String(port), HOST } : {}),
    ...(url === undefined
      ? {}
      : {
          RAMET_URL: url,
          URL: isMain ? url : formatUrl(record, role.name, listeners.gatewayPort),
        }),
    ...(databaseUrl === null ? {} : { DATABASE_URL: databaseUrl }),
    RAMET_APP: record.app,
    RAMET_ENV: record.name,
    NODE_COMPILE_CACHE: input.compileCache,
  };
}

function listServices({ record, manifest, listeners }: PlanInput): Record<string, string> {
  const main = findMainProcess(manifest);
  const services = Object.entries(manifest.processes).flatMap(([name, process]) => {
    const port = record.ports[name];
    if (!process.port || port === undefined) return [];
    const upper = name.toUpperCase().replaceAll("-", "_");
    const prefix = `RAMET_SERVICE_${upper}`;
    const url = formatUrl(record, name === main ? null : name, listeners.gatewayPort);
    return [
      [`RAMET_URL_${upper}`, url] as const,
      [`${prefix}_URL`, url] as const,
      [`${prefix}_PORT`, String(port)] as const,
    ];
  });
  return Object.fromEntries(services);
}

function listUser({ record, user }: PlanInput, role: Role | null): Record<string, string> {
  const who = user === null ? {} : { HOME: user.home, USER: user.name, LOGNAME: user.name };
  const { path: tree } = record.files;
  const own = role === null ? tree : path.join(tree, role.process.folder);
  const programs = [...new Set([own, tree])].flatMap(listProgramFolders);
  return { ...who, PATH: [...programs, record.searchPath].join(":") };
}

/** Where an app's packages leave their programs: Node's, and those of Python's virtual environments. */
function listProgramFolders(folder: string): readonly string[] {
  const below = [
    ["node_modules", ".bin"],
    [".venv", "bin"],
    ["venv", "bin"],
  ];
  return below.map((parts) => path.join(folder, ...parts));
}

/** `$NAME` and `${NAME}`; a name that is not there becomes nothing, as in a shell. */
function expand(text: string, values: Readonly<Record<string, string>>): string {
  return text.replaceAll(
    /\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))/g,
    (_, braced: string | undefined, bare: string | undefined) => values[braced ?? bare ?? ""] ?? "",
  );
}

function listMissing({ manifest, variables }: PlanInput): readonly string[] {
  return Object.entries(manifest.variables)
    .filter(
      ([name, { required, value }]) => required && value === null && variables[name] === undefined,
    )
    .map(([name]) => name);
}
