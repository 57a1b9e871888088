import path from "node:path";

import { z } from "zod";

import { messageOf } from "../../base/problem.ts";
import { parseDuration, parseSize } from "../../base/quantities.ts";
import { FORK_DATA } from "../../environment/environment.ts";
import { ISOLATION_CHOICES } from "../../environment/manifest.ts";
import { parseAppName } from "../../environment/name.ts";
import { findVariableNameFault, isReservedVariable } from "../../environment/variable-name.ts";
import { parseSleep, SLEEP_HELP } from "./sleep.ts";

export const MAX_PROCESSES = 16;
const MAX_LIST = 100;
/** Of the app's role to its database; as many as PostgreSQL itself allows unless told otherwise. */
const MOST_CONNECTIONS = 100;
/** Less starts no program. */
const LEAST_MEMORY = 64e6;
const LEAST_DISK = 16e6;
const MAX_STANDBYS = 8;
/** Each has a log of its own beside those of the processes. */
const STEPS = ["setup", "migrate", "seed"];

const command = z
  .string()
  .max(8192)
  .refine((text) => text.trim() !== "", "a command must not be empty")
  .refine((text) => !text.includes("\0"), "a command cannot hold a NUL character");

/** Of a file or folder below the root, as short as it can be written. */
const innerPath = z
  .string()
  .max(4096)
  .refine(isInner, "it must be a path inside the app's folder, without `..`")
  .transform((text) => path.posix.normalize(text).replace(/\/$/, ""));

const belowRoot = innerPath.refine(
  (text) => text !== "." && !/^\.(?:git|ramet)(?:\/|$)/i.test(text),
  "it must name something inside the app's folder, not the folder itself, .git or .ramet",
);

const appName = z.string().superRefine((text, context) => {
  try {
    parseAppName(text);
  } catch (error) {
    context.addIssue({ code: "custom", message: messageOf(error).replace(/\.$/, "") });
  }
});

const processName = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,18}[a-z0-9])?$/, {
    error: "a process is named with at most 20 of a-z, 0-9 and hyphens, no hyphen first or last",
  })
  .refine((name) => !name.includes("--"), "a process's name cannot have two hyphens in a row")
  .refine((name) => !STEPS.includes(name), `a process cannot be named ${STEPS.join(", ")}`);

const variableName = z
  .string()
  .refine(
    (name) => findVariableNameFault(name) !== "invalid",
    "a variable is named with at most 256 letters, digits and underscores, not a digit first",
  )
  .refine((name) => !isReservedVariable(name), "Ramet sets this variable itself");

const hostName = z
  .string()
  .regex(/^[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/i, {
    error: "it must be a host name, such as api.example.com, which stands for those below it too",
  })
  .transform((name) => name.toLowerCase());

const readySchema = z.strictObject({
  http: z
    .string()
    .max(2048)
    .regex(/^\/[!-~]*$/, { error: "it must be a path such as /health" })
    .optional(),
  /** Seconds. */
  timeout: z.number().positive().max(3600).optional(),
});

const processSchema = z
  .strictObject({
    command,
    port: z
      .union([z.boolean(), z.int().min(1).max(65_535)], "it must be true, false or a port")
      .optional(),
    ready: z.union([z.literal(false), readySchema], "it must be false or an object").optional(),
    folder: innerPath.optional(),
    reload: z.boolean().optional(),
  })
  .refine(
    ({ port, ready }) => port !== false || typeof ready !== "object" || ready.http === undefined,
    {
      path: ["ready", "http"],
      error: "a process whose port is false answers no HTTP",
    },
  );

const duration = z
  .string()
  .refine((text) => parseDuration(text) !== undefined, "it must be a duration such as 30s or 5m");

const size = z
  .string()
  .refine((text) => parseSize(text) !== undefined, "it must be a size such as 512M or 2G");

const extensionName = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,62}$/, { error: "it must be the name of an extension" });

const databaseLimitsSchema = z.strictObject({
  connections: z.int().min(1).max(MOST_CONNECTIONS).optional(),
  statementTimeout: duration.optional(),
  tempFileLimit: size.optional(),
});

const runtimeLimitsSchema = z.strictObject({
  memory: size
    .refine((text) => (parseSize(text) ?? 0) >= LEAST_MEMORY, "it must be at least 64M")
    .optional(),
  cpus: z.number().min(0.05).max(4096).optional(),
  processes: z.int().min(32).max(4_194_304).optional(),
  disk: size
    .refine((text) => (parseSize(text) ?? 0) >= LEAST_DISK, "it must be at least 16M")
    .optional(),
});

const databaseSchema = z.strictObject({
  kind: z.literal("postgres").optional(),
  data: z.enum(FORK_DATA).optional(),
  migrate: command.optional(),
  seed: command.optional(),
  mask: belowRoot.optional(),
  extensions: z.array(extensionName).max(MAX_LIST).optional(),
  limits: databaseLimitsSchema.optional(),
  warm: z.int().min(0).max(MAX_STANDBYS).optional(),
});

const variableSchema = z
  .strictObject({
    value: z.string().max(65_536).optional(),
    secret: z.boolean().optional(),
    required: z.boolean().optional(),
  })
  .refine(({ value, secret }) => value === undefined || secret !== true, {
    path: ["value"],
    error:
      "a secret's value does not belong into a file; set it with `ramet var set NAME --secret`",
  });

export const ramet = z.strictObject({
  $schema: z.string().optional(),
  app: appName.optional(),
  setup: z.union([z.literal(false), command], "it must be false or a command").optional(),
  processes: z
    .record(processName, processSchema)
    .refine(
      (all) => Object.keys(all).length <= MAX_PROCESSES,
      `there can be at most ${MAX_PROCESSES} processes`,
    )
    .optional(),
  database: z.union([z.literal(false), databaseSchema], "it must be false or an object").optional(),
  services: z.record(processName, z.looseObject({})).optional(),
  variables: z
    .record(
      variableName,
      z.union([z.string().max(65_536), variableSchema], "it must be a text or an object"),
    )
    .optional(),
  files: z.strictObject({ clone: z.array(belowRoot).max(MAX_LIST).optional() }).optional(),
  api: z
    .union(
      [
        z.literal(false),
        z.strictObject({
          graphql: z.boolean().optional(),
          rest: z.boolean().optional(),
          schemas: z.array(z.string()).max(MAX_LIST).optional(),
        }),
      ],
      "it must be false or an object",
    )
    .optional(),
  limits: runtimeLimitsSchema.optional(),
  isolation: z.enum(ISOLATION_CHOICES, "it must be auto, required or off").optional(),
  network: z
    .union(
      [z.enum(["open", "none"]), z.array(hostName).max(MAX_LIST)],
      'it must be "open", "none" or a list of host names',
    )
    .optional(),
  sleep: z.union([z.literal(false), z.string().refine(isSleep, SLEEP_HELP)], SLEEP_HELP).optional(),
});

/** `ramet.json` as it is written, checked. */
export type RametFile = z.infer<typeof ramet>;
export type ProcessInFile = z.infer<typeof processSchema>;

/** The valid keys of the object at a path of `ramet.json`. */
export function keysAt(at: readonly PropertyKey[]): readonly string[] {
  const [first, second, third] = at;
  if (first === undefined) return Object.keys(ramet.shape);
  if (first === "processes")
    return Object.keys(third === "ready" ? readySchema.shape : processSchema.shape);
  if (first === "database")
    return Object.keys(second === "limits" ? databaseLimitsSchema.shape : databaseSchema.shape);
  if (first === "variables") return Object.keys(variableSchema.shape);
  if (first === "files") return ["clone"];
  if (first === "api") return ["graphql", "rest", "schemas"];
  return first === "limits" ? Object.keys(runtimeLimitsSchema.shape) : [];
}

function isSleep(text: string): boolean {
  return parseSleep(text) !== undefined;
}

function isInner(text: string): boolean {
  if (text === "" || text.includes("\0") || text.startsWith("/")) return false;
  return !text.split("/").includes("..");
}
