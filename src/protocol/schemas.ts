import { z } from "zod";

import {
  ENVIRONMENT_STATES,
  LOG_LEVELS,
  FORK_WAYS,
  LOG_STREAMS,
  PROCESS_STATES,
  PROGRESS_PARTS,
  PROGRESS_STATES,
  STANDBY_STATES,
} from "../environment/environment.ts";

/** A problem as it crosses the wire and as `--json` prints it. */
export const problemSchema = z.object({
  code: z.string(),
  message: z.string(),
  remedy: z.string(),
});

const processSchema = z.object({
  name: z.string(),
  state: z.enum(PROCESS_STATES),
  port: z.number().nullable(),
  pid: z.number().nullable(),
});

/** A copy of an environment's database that follows it, to become a fork's at once; and what it costs. */
const standbySchema = z.object({
  id: z.string(),
  /** `resting`: it holds no process, as its source sleeps. */
  state: z.enum(STANDBY_STATES),
  diskBytes: z.number(),
  memoryBytes: z.number(),
  /** What its source keeps until it has read it. */
  walBytes: z.number(),
});

/** Parts of the last ten seconds, from 0 to 1, in which some of its processes waited for each. */
const pressureSchema = z.object({ cpu: z.number(), memory: z.number(), io: z.number() });

const limitsSchema = z.object({
  memoryBytes: z.number(),
  cpus: z.number(),
  /** And threads. */
  processes: z.number(),
  /** null: as much as the disk holds. */
  diskBytes: z.number().nullable(),
  /** What sees to it, such as `memory, processors and processes by control groups (v1); disk by a look every second`. */
  heldBy: z.string(),
  /** null: this machine does not tell. */
  pressure: pressureSchema.nullable(),
});

/** An environment as `env show`, `env list`, `env use` and `env create` answer it. */
export const environmentSchema = z.object({
  /** Never reused: tells it from others that bore its name. */
  id: z.string(),
  app: z.string(),
  name: z.string(),
  state: z.enum(ENVIRONMENT_STATES),
  parent: z.string().nullable(),
  url: z.string().nullable(),
  /** Below the domain that `server domain` names; null: there is none. */
  domainUrl: z.string().nullable(),
  databaseUrl: z.string().nullable(),
  /** Plain ports of the machine that lead to it. */
  fronts: z.array(z.object({ port: z.number(), process: z.string() })).readonly(),
  files: z.object({ kind: z.enum(["linked", "kept"]), path: z.string() }),
  processes: z.array(processSchema),
  /** `isolated (bubblewrap)` and by what, or `ports: ` and why no more; null where it is not known. */
  isolation: z.string().nullable(),
  /** What its processes may take of the machine, all together; null where it is not known. */
  limits: limitsSchema.nullable(),
  problems: z.array(problemSchema),
  /** What it takes up and shares with no other; null: not measured yet, or nothing on this machine tells. */
  ownBytes: z.number().nullable(),
  /** As they were when `env show` or `doctor` looked last. */
  standbys: z.array(standbySchema).readonly(),
  /** Times are ISO 8601 UTC. */
  createdAt: z.string(),
  usedAt: z.string(),
  /** When it falls asleep if nobody uses it; null: not by itself, or it sleeps. */
  sleepsAt: z.string().nullable(),
  /** Until when what its last reset replaced can be had back; null: there is nothing. */
  replacedUntil: z.string().nullable(),
});
export type EnvironmentView = z.infer<typeof environmentSchema>;

/** What an environment takes of the machine just now, its database included. */
export const useSchema = z.object({
  id: z.string(),
  app: z.string(),
  name: z.string(),
  state: z.enum(ENVIRONMENT_STATES),
  /** Processors' worth of time. */
  cpu: z.number(),
  /** What its processes share with no other. */
  memoryBytes: z.number(),
  processes: z.number(),
  requestsPerSecond: z.number(),
  /** null: its database does not run, or it has none. */
  databaseBytes: z.number().nullable(),
  connections: z.number().nullable(),
  /** null: this machine does not tell. */
  pressure: pressureSchema.nullable(),
  /** ISO 8601 UTC. */
  usedAt: z.string(),
});
export type EnvironmentUse = z.infer<typeof useSchema>;

/** Milliseconds; parts run side by side, so they do not add up to `total`. */
const timingsSchema = z.object({
  files: z.number(),
  database: z.number(),
  runtime: z.number(),
  total: z.number(),
  /** Each step of it, in the order of their beginnings, which are counted from the call's. */
  steps: z.array(z.object({ name: z.string(), beganMs: z.number(), ms: z.number() })),
});

/** How a fork came by its database, and what a faster one needs. */
const databaseForkSchema = z.object({
  way: z.enum(FORK_WAYS),
  /** What was shared or copied; null: nothing had to be. */
  bytes: z.number().nullable(),
  ms: z.number(),
  /** Of a copy: why its bytes had to be moved, and what helps; null of all others. */
  why: z.string().nullable(),
  remedy: z.string().nullable(),
});
export type DatabaseForkView = z.infer<typeof databaseForkSchema>;

export const createdEnvironmentSchema = environmentSchema.extend({
  timings: timingsSchema,
  /** null: its database is no fork, or it has none. */
  databaseFork: databaseForkSchema.nullable(),
});
export type CreatedEnvironment = z.infer<typeof createdEnvironmentSchema>;

export const appSchema = z.object({
  name: z.string(),
  environments: z.array(z.string()),
  createdAt: z.string(),
});

export const variableSchema = z.object({
  name: z.string(),
  secret: z.boolean(),
  /** null: a secret's, or a placeholder's. */
  value: z.string().nullable(),
});
export type VariableView = z.infer<typeof variableSchema>;

export const logLineSchema = z.object({
  time: z.string(),
  process: z.string(),
  stream: z.enum(LOG_STREAMS),
  /** As the line says itself; where it does not, `error` on stderr and `info` elsewhere. */
  level: z.enum(LOG_LEVELS),
  /** What a line of JSON says; else the text. */
  message: z.string(),
  /** What else a line of JSON holds. */
  fields: z.record(z.string(), z.unknown()),
  /** As it was printed. */
  text: z.string(),
});

export const progressSchema = z.object({
  part: z.enum(PROGRESS_PARTS),
  state: z.enum(PROGRESS_STATES),
  ms: z.number(),
  detail: z.string().nullable(),
});

/** Paths relative to the tree's root. */
export const statusSchema = z.object({
  app: z.string(),
  environment: z.string(),
  files: z.object({ kind: z.enum(["linked", "kept"]), path: z.string() }),
  /** Changed in the workspace alone. */
  local: z.array(z.string()),
  /** Changed in the environment's own files alone. */
  remote: z.array(z.string()),
  /** Changed on both sides, differently. */
  conflicts: z.array(z.string()),
  /** Of all of these, those that are not there: removed on that side, or new on the other. */
  absent: z.object({ local: z.array(z.string()), remote: z.array(z.string()) }),
  /** Could not be read on one side, so that they were not compared. */
  unread: z.array(z.string()),
});

export const transferSchema = z.object({
  app: z.string(),
  environment: z.string(),
  files: z.object({ kind: z.enum(["linked", "kept"]), path: z.string() }),
  /** Paths written or removed on the receiving side. */
  changed: z.array(z.string()),
  /** Where what stood there before was put; null when nothing was displaced. */
  displaced: z.string().nullable(),
});
export type Transfer = z.infer<typeof transferSchema>;

/** Of which side it was, and where it stood in that tree. */
const placeSchema = z.object({ side: z.enum(["workspace", "environment"]), path: z.string() });

/** What transfers have displaced, the latest first. */
export const trashSchema = z.array(
  placeSchema.extend({
    /** Names all that was displaced at one time. */
    id: z.string(),
    /** ISO 8601 UTC. */
    at: z.string(),
    kind: z.enum(["file", "link"]),
    bytes: z.number(),
  }),
);
export type Trash = z.infer<typeof trashSchema>;

export const restoredSchema = z.object({
  restored: z.array(placeSchema),
  /** Where what stood there instead was put. */
  displaced: z.array(z.string()),
});

export const queryResultSchema = z.object({
  columns: z.array(z.string()),
  /** Values as PostgreSQL prints them; null is SQL's NULL. */
  rows: z.array(z.array(z.string().nullable())),
  /** Rows returned or affected; null for a statement that has none. */
  count: z.number().nullable(),
});

/** In bytes. */
export const databaseSizeSchema = z.object({
  database: z.string(),
  /** As PostgreSQL counts the app's database, whatever of it is shared on the disk. */
  bytes: z.number(),
  /** Of its folder, what no other environment shares; null: nothing on this machine tells. */
  ownBytes: z.number().nullable(),
  /** The largest first. */
  tables: z.array(
    z.object({
      name: z.string(),
      /** null: it is large and PostgreSQL has no idea yet. */
      rows: z.number().nullable(),
      isEstimate: z.boolean(),
      bytes: z.number(),
    }),
  ),
});

export type DatabaseSize = z.infer<typeof databaseSizeSchema>;

export const leftoverSchema = z.object({
  kind: z.enum(["process", "port", "folder", "socket", "binding"]),
  /** The environment it once belonged to, or what names it best. */
  id: z.string(),
  path: z.string().nullable(),
  pid: z.number().nullable(),
});
export type Leftover = z.infer<typeof leftoverSchema>;

export const doctorSchema = z.object({
  /** What this machine can give, by name; a text says how, false that it cannot. */
  capabilities: z.record(z.string(), z.union([z.boolean(), z.string(), z.number()])),
  leftovers: z.array(leftoverSchema),
});
export type DoctorReport = z.infer<typeof doctorSchema>;

/** What came of trying to break out of an environment, one probe after another. */
export const verificationSchema = z.object({
  app: z.string(),
  environment: z.string(),
  /** As `env show` has it. */
  isolation: z.string(),
  probes: z.array(
    z.object({
      id: z.string(),
      subject: z.string(),
      /** Goes on "it tries to …". */
      tries: z.string(),
      /** What it is to meet with. */
      expected: z.string(),
      outcome: z.enum(["held", "leaked", "not applicable"]),
      /** What it met with, what it got hold of, or why it could not be tried. */
      detail: z.string(),
    }),
  ),
});
export type VerificationView = z.infer<typeof verificationSchema>;
/** Of whom the gateway's certificates are. */
export const authoritySchema = z.object({
  name: z.string(),
  /** PEM. */
  file: z.string(),
  certificate: z.string(),
  /** SHA-256. */
  fingerprint: z.string(),
  expiresAt: z.string(),
});
export type Authority = z.infer<typeof authoritySchema>;

/** Files of PEM, for names directly below it. */
export const domainSchema = z.object({
  name: z.string().max(256),
  certificate: z.string().max(4096),
  key: z.string().max(4096),
});

export const serverStatusSchema = z.object({
  running: z.boolean(),
  pid: z.number().nullable(),
  version: z.string().nullable(),
  gatewayPort: z.number().nullable(),
  databasePort: z.number().nullable(),
  /** The unix socket that leads to all databases, for the home's owner alone. */
  databaseSocket: z.string().nullable().default(null),
  /** What `ramet serve` was told of listening for others; null: it does not. */
  listenArguments: z.array(z.string()).nullable().default(null),
  home: z.string(),
  startedAt: z.string().nullable(),
});
export type ServerStatus = z.infer<typeof serverStatusSchema>;
