import type {
  DatabaseManifest,
  Manifest,
  ProcessManifest,
  VariableManifest,
} from "../../environment/manifest.ts";
import { DEFAULT_READY } from "./ramet-file.ts";

/** A manifest as `ramet.json` says it: whole, so that nothing is left to be found. */
export function formatRametFile(manifest: Manifest, app: string): string {
  const { setup, processes, database, variables, files } = manifest;
  const written = {
    app,
    setup: setup ?? undefined,
    processes: mapValues(processes, writeProcess),
    database: writeDatabase(database),
    variables: isEmpty(variables) ? undefined : mapValues(variables, writeVariable),
    files,
  };
  return `${JSON.stringify(written, null, 2)}\n`;
}

function mapValues<From, To>(
  record: Readonly<Record<string, From>>,
  write: (value: From) => To,
): Readonly<Record<string, To>> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, write(value)]));
}

/** `reload` always: what would be found in its absence is found by another way. */
function writeProcess({ command, port, ownPort, ready, folder, reloads }: ProcessManifest): object {
  return {
    command,
    port: port ? (ownPort ?? undefined) : false,
    ready: port ? writeReady(ready) : undefined,
    folder: folder === "." ? undefined : folder,
    reload: reloads,
  };
}

function writeReady(ready: ProcessManifest["ready"]): object | false | undefined {
  if (ready.kind === "none") return false;
  const timeout = ready.timeoutMs === DEFAULT_READY.timeoutMs ? undefined : ready.timeoutMs / 1000;
  if (ready.kind === "http") return { http: ready.path, timeout };
  return timeout === undefined ? undefined : { timeout };
}

function writeDatabase(database: DatabaseManifest | null): object | false {
  if (database === null) return false;
  const { migrate, seed, mask } = database;
  return {
    kind: "postgres",
    migrate: migrate ?? undefined,
    seed: seed ?? undefined,
    mask: mask ?? undefined,
  };
}

function writeVariable({ value, secret, required }: VariableManifest): object | string {
  if (value !== null && !secret && !required) return value;
  return { value: value ?? undefined, secret, required };
}

function isEmpty(record: object): boolean {
  return Object.keys(record).length === 0;
}
