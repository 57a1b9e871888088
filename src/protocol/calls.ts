import { z } from "zod";

import { FORK_DATA, LOG_LEVELS } from "../environment/environment.ts";
import {
  auditEntrySchema,
  callerSchema,
  rightSchema,
  tokenSchema,
  userSchema,
} from "./access-schemas.ts";
import {
  appSchema,
  authoritySchema,
  domainSchema,
  createdEnvironmentSchema,
  databaseSizeSchema,
  doctorSchema,
  environmentSchema,
  leftoverSchema,
  queryResultSchema,
  restoredSchema,
  serverStatusSchema,
  statusSchema,
  transferSchema,
  trashSchema,
  useSchema,
  variableSchema,
  verificationSchema,
} from "./schemas.ts";
import { WIRED_CALLS } from "./wired-calls.ts";

const text = z.string().max(4096);
const target = z.object({ app: text, environment: text });
const nothing = z.object({});

/** Every call: what goes in, what comes out. Calls that take long send progress, `logs` and `dev` send lines. */
export const CALLS = {
  "server.status": { input: nothing, output: serverStatusSchema },
  /** Ends every environment's processes, then the server. */
  "server.stop": { input: nothing, output: z.object({ stopped: z.number() }) },
  /** Ends the server alone; environments go on. */
  "server.leave": { input: nothing, output: nothing },

  /** Who vouches for the gateway's certificates. */
  "server.authority": { input: nothing, output: authoritySchema },

  /** The domain below which environments are reached besides `localhost`. */
  "server.domain": {
    /** null: it is only asked for. */
    input: z.object({ change: z.object({ domain: domainSchema.nullable() }).nullable() }),
    output: domainSchema.nullable(),
  },

  "app.create": {
    input: z.object({
      app: text,
      folder: text,
      searchPath: z.string(),
      /** The folder of the PostgreSQL that its databases are to run on; null: the server's to say. */
      postgresBin: text.nullable().default(null),
    }),
    output: createdEnvironmentSchema,
  },
  "app.list": { input: nothing, output: z.array(appSchema) },
  "app.delete": {
    input: z.object({ app: text }),
    output: z.object({ app: z.string(), deleted: z.array(z.string()) }),
  },
  /** The app, and the environment if any, whose files are linked to this folder. */
  "app.find": {
    input: z.object({ folder: text }),
    output: z.object({ app: z.string().nullable(), environment: z.string().nullable() }),
  },

  "environment.create": {
    input: z.object({
      app: text,
      name: text,
      /** What to fork: the first of these that there is. */
      from: z.array(text).min(1).max(10),
      files: z.discriminatedUnion("kind", [
        z.object({ kind: z.literal("linked"), path: text }),
        z.object({ kind: z.literal("kept") }),
      ]),
      /** What its database is to have of its source's; null: the manifest says it. */
      data: z.enum(FORK_DATA).nullable().default(null),
      searchPath: z.string(),
    }),
    output: createdEnvironmentSchema,
  },
  /** `app` null: of all apps. */
  "environment.list": {
    input: z.object({ app: text.nullable() }),
    output: z.array(environmentSchema),
  },
  /** The same environments, by what each takes of the machine just now. */
  "environment.use": {
    input: z.object({ app: text.nullable() }),
    output: z.array(useSchema),
  },
  /** `measure`: counts its bytes first, and what its standbys take. */
  "environment.show": {
    input: target.extend({ measure: z.boolean().default(false) }),
    output: environmentSchema,
  },
  "environment.delete": {
    input: target,
    output: z.object({ app: z.string(), name: z.string(), folder: z.string().nullable() }),
  },
  /** `from` null: what it was forked from. `undo`: what its last reset replaced, instead. */
  "environment.reset": {
    input: target.extend({ from: text.nullable(), undo: z.boolean() }),
    output: createdEnvironmentSchema,
  },
  "environment.start": { input: target, output: environmentSchema },
  "environment.stop": { input: target, output: environmentSchema },
  /** Tries to break out of it; nothing of that is left. */
  "environment.verify": { input: target, output: verificationSchema },
  /** Leads plain ports of the machine to it, until they are led elsewhere or taken back. */
  "environment.front": {
    input: target.extend({
      /** To its main process; null: those that its processes declare. */
      port: z.number().int().min(1).max(65_535).nullable(),
      /** Takes all of its ports back instead. */
      off: z.boolean(),
    }),
    output: environmentSchema,
  },
  /** Keeps it from falling asleep by itself, until the caller leaves. */
  "environment.attend": { input: target, output: nothing },
  /** Everything a command in the workspace gets: variables, `DATABASE_URL`, `URL`, opened secrets. */
  "environment.variables": { input: target, output: z.record(z.string(), z.string()) },

  "variable.list": { input: target, output: z.array(variableSchema) },
  "variable.set": {
    input: target.extend({
      variables: z.array(z.object({ name: text, value: z.string() })).min(1),
      secret: z.boolean(),
    }),
    output: z.array(variableSchema),
  },
  "variable.delete": {
    input: target.extend({
      /** null: all. */
      names: z.array(text).nullable(),
      /** Names that are not set are no problem. */
      ignoreMissing: z.boolean(),
    }),
    output: z.object({ deleted: z.array(z.string()) }),
  },
  "variable.import": {
    input: target.extend({
      /** Another environment of the app, or the parsed lines of a file. */
      source: z.discriminatedUnion("kind", [
        z.object({ kind: z.literal("environment"), name: text }),
        z.object({ kind: z.literal("file"), variables: z.record(z.string(), z.string()) }),
      ]),
      /** null: all. */
      names: z.array(text).nullable(),
      includeValues: z.boolean(),
    }),
    output: z.object({
      imported: z.array(variableSchema),
      /** Secrets: their values never move. */
      skipped: z.array(z.string()),
    }),
  },

  "database.query": {
    input: target.extend({ sql: z.string().max(1_000_000) }),
    output: queryResultSchema,
  },

  "database.size": { input: target, output: databaseSizeSchema },

  "files.status": { input: target.extend({ workspace: text }), output: statusSchema },
  "files.push": {
    input: target.extend({ workspace: text, force: z.boolean() }),
    output: transferSchema,
  },
  "files.pull": {
    input: target.extend({ workspace: text, force: z.boolean() }),
    output: transferSchema,
  },

  /** `workspace` is null where it is on another machine, which has its own trash. */
  "files.trash": { input: target.extend({ workspace: text.nullable() }), output: trashSchema },
  "files.restore": {
    input: target.extend({
      workspace: text.nullable(),
      id: text,
      /** None: all that was displaced at that time. */
      paths: z.array(text).max(10_000),
    }),
    output: restoredSchema,
  },

  /** Sends lines. `follow`: until the caller leaves. */
  "environment.logs": {
    input: target.extend({
      process: text.nullable(),
      /** Not what its processes printed: what clients asked of it through the gateway. */
      access: z.boolean().default(false),
      follow: z.boolean(),
      /** How many of the lines that are there already, at most. */
      last: z.number().int().min(0).max(100_000),
      /** ISO 8601 UTC: none that are older. null: of all times. */
      since: z.iso.datetime().nullable().default(null),
      /** None that are less serious; null: all. */
      level: z.enum(LOG_LEVELS).nullable().default(null),
      /** A regular expression that they match; null: all. */
      grep: z.string().max(1000).nullable().default(null),
    }),
    output: nothing,
  },
  /**
   * Wakes it, sends lines, restarts processes that do not reload by themselves, and keeps a workspace and the
   * environment's own files the same, until the caller leaves.
   */
  "environment.develop": {
    input: target.extend({
      /** null: no files are transferred. */
      workspace: text.nullable(),
      /** Whose version of a conflict both get; null: neither's. */
      prefer: z.enum(["local", "environment"]).nullable(),
    }),
    output: nothing,
  },

  ...WIRED_CALLS,

  /** Who asks, and what for their token is good. */
  "access.whoami": { input: nothing, output: callerSchema },
  /** What was written, the latest last. */
  "access.audit": {
    input: z.object({ last: z.number().int().min(1).max(10_000) }),
    output: z.array(auditEntrySchema),
  },
  "user.add": { input: z.object({ name: text, isAdmin: z.boolean() }), output: userSchema },
  "user.list": { input: nothing, output: z.array(userSchema) },
  /** With all their tokens. */
  "user.remove": {
    input: z.object({ name: text }),
    output: z.object({ name: z.string(), revoked: z.array(z.string()) }),
  },
  /** `text` is told this once. */
  "token.create": {
    input: z.object({
      user: text,
      label: z.string().max(100).nullable(),
      apps: z.array(text).max(100).nullable(),
      right: rightSchema,
      /** null: for ever. */
      days: z.number().int().min(1).max(3650).nullable(),
    }),
    output: tokenSchema.extend({ text: z.string() }),
  },
  "token.list": { input: nothing, output: z.array(tokenSchema) },
  "token.revoke": { input: z.object({ id: text }), output: tokenSchema },

  doctor: {
    input: z.object({ fix: z.boolean() }),
    output: doctorSchema.extend({ fixed: z.array(leftoverSchema) }),
  },
} as const;

export type CallName = keyof typeof CALLS;
export type CallInput<Name extends CallName> = z.input<(typeof CALLS)[Name]["input"]>;
export type CallOutput<Name extends CallName> = z.output<(typeof CALLS)[Name]["output"]>;
