import type { Brand } from "../base/brand.ts";
import type { ProblemFields } from "../base/problem.ts";
import type { AppName, EnvironmentName } from "./name.ts";

/** 16 characters of `a-z2-7` (80 random bits), never reused; folders, sockets and database users derive from it. */
export type EnvironmentId = Brand<"EnvironmentId">;

/**
 * The file whose appearance is the commit of a create, and whose disappearance that of a delete.
 * Readable by the server alone: it holds the database's passwords.
 */
export type EnvironmentRecord = {
  readonly id: EnvironmentId;
  readonly app: AppName;
  readonly name: EnvironmentName;
  readonly parent: EnvironmentName | null;
  /** ISO 8601 UTC. */
  readonly createdAt: string;
  /** When it was used last before it fell asleep, ISO 8601 UTC; absent where it never has. */
  readonly usedAt?: string;
  readonly state: RecordedState;
  readonly files: FilesRecord;
  readonly database: DatabaseRecord | null;
  /** The loopback ports that its processes were given last, by process name. */
  readonly ports: Readonly<Record<string, number>>;
  /** `PATH` of the shell that made it: its commands find the same programs. */
  readonly searchPath: string;
  /** As whom its database runs, and its processes too where the files are kept; null: the server's own user. */
  readonly uid: number | null;
  /** Hash of the setup command and the lock files it last succeeded with; null: never. */
  readonly setupStamp: string | null;
  /** Which of its database folders is its own: each reset makes another. */
  readonly generation: number;
  /** What its last reset replaced, for as long as that can be had back. */
  readonly replaced: ReplacedDatabase | null;
  /** What its database has of its source's, now and after each reset. */
  readonly data: ForkData;
  /** What a migration tool has applied to its database, and its files did not have when that was looked at. */
  readonly missingMigrations: readonly MissingMigrations[];
  /** What is still to be run before its processes may start, in this order. */
  readonly remaining: readonly PreparationStep[];
};

export type MissingMigrations = { readonly tool: string; readonly names: readonly string[] };

export type ReplacedDatabase = {
  readonly generation: number;
  readonly database: DatabaseRecord;
  /** What was still to be run before its processes. */
  readonly remaining: readonly PreparationStep[];
  /** ISO 8601 UTC. */
  readonly replacedAt: string;
};

export const PREPARATION_STEPS = ["setup", "migrate", "seed"] as const;
export type PreparationStep = (typeof PREPARATION_STEPS)[number];

/** What is to be so after a restart of the server. */
export type RecordedState =
  /** Committed, and its setup or migrations are not done. */
  | { readonly kind: "preparing" }
  | { readonly kind: "awake" }
  | { readonly kind: "asleep" }
  | { readonly kind: "broken"; readonly problem: ProblemFields };

/** `linked`: runs on a workspace's own folder. `kept`: the server keeps a tree of its own. */
export type FilesRecord = { readonly kind: "linked" | "kept"; readonly path: string };

export type DatabaseRecord = {
  /** The database's name inside its server: the app's. */
  readonly name: string;
  readonly appPassword: string;
  readonly adminPassword: string;
  readonly postgres: PostgresRecord;
};

/** Which PostgreSQL made a database, and all its forks: one of another major version cannot read its folder. */
export type PostgresRecord = {
  /** Such as `15.18`. */
  readonly version: string;
  /** The folder of the user's own programs; null: those that come with Ramet. */
  readonly bin: string | null;
};

/**
 * What a fork has of its source's database: all, its structure without the rows, or nothing of it, so that its own
 * migrations make the tables.
 */
export const FORK_DATA = ["all", "schema", "none"] as const;
export type ForkData = (typeof FORK_DATA)[number];

export const FORK_WAYS = ["reflink", "standby", "copy", "empty"] as const;

/** How a fork came by its database. */
export type DatabaseFork = {
  /** Its blocks shared, a standby promoted, its bytes copied, or a new one that has nothing of its source's. */
  readonly way: (typeof FORK_WAYS)[number];
  /** What was shared or copied; null: nothing had to be. */
  readonly bytes: number | null;
  /** What kept a standby from being promoted; null: there was to be none, or one was. */
  readonly missed: string | null;
};

export const ENVIRONMENT_STATES = [
  "creating",
  "awake",
  "frozen",
  "asleep",
  "broken",
  "deleting",
] as const;
export type EnvironmentState = (typeof ENVIRONMENT_STATES)[number];

export const STANDBY_STATES = ["building", "following", "resting"] as const;

export const PROCESS_STATES = [
  "starting",
  "ready",
  "waiting",
  "restarting",
  "stopped",
  "failed",
] as const;
export type ProcessStateName = (typeof PROCESS_STATES)[number];

export type ProcessState = {
  readonly name: string;
  readonly state: ProcessStateName;
  readonly port: number | null;
  readonly pid: number | null;
  /** Why it is waiting, restarting or failed, or what is wrong with it although it serves; null: nothing. */
  readonly problem: ProblemFields | null;
};

export const LOG_STREAMS = ["stdout", "stderr", "ramet"] as const;

/** The least serious first. */
export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** One line that a process printed, or that Ramet says about it (`ramet`). */
export type LogLine = {
  /** ISO 8601 UTC. */
  readonly time: string;
  readonly process: string;
  readonly stream: (typeof LOG_STREAMS)[number];
  /** As the line says itself; where it does not, `error` on stderr and `info` elsewhere. */
  readonly level: LogLevel;
  /** What a line of JSON says; else the text. */
  readonly message: string;
  /** What else a line of JSON holds. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** As it was printed. */
  readonly text: string;
};

export const PROGRESS_PARTS = [
  "files",
  "database",
  "setup",
  "migrate",
  "seed",
  "runtime",
  "storage",
] as const;
export const PROGRESS_STATES = ["started", "done", "skipped", "failed"] as const;

/** A step of a long call, as it begins and as it ends. */
export type Progress = {
  readonly part: (typeof PROGRESS_PARTS)[number];
  readonly state: (typeof PROGRESS_STATES)[number];
  /** Since the step began; 0 at its start. */
  readonly ms: number;
  /** How it was done, such as `reflink` or `copied 1.2 GB`; null when there is nothing to say. */
  readonly detail: string | null;
};

export type Report = (progress: Progress) => void;

const ID = /^[a-z2-7]{16}$/;

export function isEnvironmentId(text: string): text is EnvironmentId {
  return ID.test(text);
}
