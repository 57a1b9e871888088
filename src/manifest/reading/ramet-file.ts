import type { z } from "zod";

import { findNearest } from "../../base/nearest.ts";
import { quote } from "../../base/problem.ts";
import { parseDuration, parseSize } from "../../base/quantities.ts";
import { DEFAULT_GRANTS, DEFAULT_LIMITS } from "../../environment/manifest.ts";
import type {
  DatabaseGrants,
  DatabaseManifest,
  ProcessManifest,
  ReadyCheck,
  RuntimeLimits,
  VariableManifest,
} from "../../environment/manifest.ts";
import { manifestInvalid } from "./problems.ts";
import { keysAt, type ProcessInFile, ramet, type RametFile } from "./schema.ts";

export const RAMET_FILE = "ramet.json";
export const DEFAULT_READY: Extract<ReadyCheck, { kind: "port" }> = {
  kind: "port",
  timeoutMs: 60_000,
};
export const DEFAULT_DATABASE: DatabaseManifest = { migrate: null, seed: null, mask: null };

const MAX_REASONS = 5;

/** @throws `manifest_invalid` with the key's path and why */
export function parseRametFile(value: unknown): RametFile {
  const parsed = ramet.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.flatMap(flatten);
  const reasons = issues.slice(0, MAX_REASONS).map(explain);
  throw manifestInvalid(RAMET_FILE, reasons.join("; "), findRemedy(issues));
}

export function toProcess(written: ProcessInFile, reloads: boolean): ProcessManifest {
  const port = written.port !== false;
  return {
    command: written.command,
    port,
    ownPort: typeof written.port === "number" ? written.port : null,
    ready: port ? toReady(written.ready) : { kind: "none" },
    folder: written.folder ?? ".",
    reloads: written.reload ?? reloads,
  };
}

/** No `database` key: a database with nothing to run in it. `false`: none. */
export function toDatabase(written: RametFile["database"]): DatabaseManifest | null {
  if (written === false) return null;
  return {
    ...(written?.data === undefined ? {} : { data: written.data }),
    migrate: written?.migrate ?? null,
    seed: written?.seed ?? null,
    mask: written?.mask ?? null,
  };
}

/** What it does not say is granted as ever. */
export function toGrants(written: RametFile["database"]): DatabaseGrants {
  const said = typeof written === "object" ? written : {};
  const { limits = {}, extensions = [], warm = DEFAULT_GRANTS.warm } = said;
  const {
    connections = DEFAULT_LIMITS.connections,
    statementTimeout = "",
    tempFileLimit = "",
  } = limits;
  return {
    limits: {
      connections,
      statementTimeoutMs: parseDuration(statementTimeout) ?? null,
      tempFileBytes: parseSize(tempFileLimit) ?? null,
    },
    warm,
    extensions: [...new Set(extensions)],
  };
}

export function toLimits(written: RametFile["limits"] = {}): RuntimeLimits {
  const { memory = "", cpus = null, processes = null, disk = "" } = written;
  return {
    memoryBytes: parseSize(memory) ?? null,
    cpus,
    processes,
    diskBytes: parseSize(disk) ?? null,
  };
}

export function toVariables(written: RametFile["variables"]): Record<string, VariableManifest> {
  const entries = Object.entries(written ?? {}).map(
    ([name, variable]): [string, VariableManifest] => {
      if (typeof variable === "string")
        return [name, { value: variable, secret: false, required: false }];
      const { value = null, secret = false, required = false } = variable;
      return [name, { value, secret, required }];
    },
  );
  return Object.fromEntries(entries);
}

/** Keys that are valid and that this version does not act on yet. */
export function listUnused(file: RametFile): readonly string[] {
  return (["services", "api"] as const).filter((key) => file[key] !== undefined);
}

function toReady(written: ProcessInFile["ready"]): ReadyCheck {
  if (written === false) return { kind: "none" };
  const timeoutMs = written?.timeout === undefined ? 60_000 : written.timeout * 1000;
  if (written?.http === undefined) return { kind: "port", timeoutMs };
  return { kind: "http", path: written.http, timeoutMs };
}

type Issue = z.core.$ZodIssue;

/** Of a union that did not match: the alternative that was meant, which is the one that failed deepest. */
function flatten(issue: Issue): readonly Issue[] {
  if (issue.code === "invalid_key")
    return issue.issues.map((inner) => ({ ...inner, path: issue.path }));
  if (issue.code !== "invalid_union") return [issue];
  const meant = issue.errors.find((issues) => issues.some(isInside));
  if (meant === undefined) return [issue];
  return meant.flatMap((inner) => flatten({ ...inner, path: [...issue.path, ...inner.path] }));
}

function isInside(issue: Issue): boolean {
  return issue.path.length > 0 || issue.code === "unrecognized_keys" || issue.code === "custom";
}

function explain(issue: Issue): string {
  const at = issue.path.join(".");
  if (issue.code === "unrecognized_keys") return explainKeys(issue.keys, at);
  const reason = issue.message.replace(/^Invalid input: /, "").replace(/^Too/, "too");
  return at === "" ? reason : `${at}: ${reason}`;
}

function explainKeys(keys: readonly string[], at: string): string {
  const named = keys.slice(0, MAX_REASONS).map(quote);
  return `${at === "" ? "it" : at} has no key ${named.join(", ")}`;
}

function findRemedy(issues: readonly Issue[]): string | undefined {
  for (const issue of issues) {
    if (issue.code !== "unrecognized_keys") continue;
    const valid = keysAt(issue.path);
    const nearest = findNearest(issue.keys[0]?.toLowerCase() ?? "", valid);
    const hint = nearest === undefined ? "" : `Did you mean ${JSON.stringify(nearest)}? `;
    return `${hint}Its keys are ${valid.join(", ")}.`;
  }
  return undefined;
}
