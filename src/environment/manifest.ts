import type { ForkData } from "./environment.ts";

/** What `ramet.json` says, or what was found in its absence; every default filled in. */
export type Manifest = {
  readonly app: string | null;
  /** Prepares a tree before its first start, such as `npm ci`. */
  readonly setup: string | null;
  readonly processes: Readonly<Record<string, ProcessManifest>>;
  readonly database: DatabaseManifest | null;
  /** What only `ramet.json` can say of the database. */
  readonly grants: DatabaseGrants;
  readonly variables: Readonly<Record<string, VariableManifest>>;
  readonly files: { readonly clone: readonly string[] };
  /** Not used for so long, the environment falls asleep; null: never by itself. */
  readonly sleepMs: number | null;
  /** `auto`: sealed off where the machine can. `required`: else nothing is started. `off`: apart by ports alone. */
  readonly isolation: IsolationChoice;
  /** What its processes reach of the world outside, where they are sealed off: all, nothing, or these names and those below them. */
  readonly network: "open" | "none" | readonly string[];
  /** What its processes may take of the machine. */
  readonly limits: RuntimeLimits;
  /** Keys that are valid and that this version does not act on yet. */
  readonly unused: readonly string[];
  /** `ramet.json`, or what stood in for it, such as `package.json (dev)`. */
  readonly source: string;
};

/** Of all of an environment's processes together, their keeper included; null: what the machine gives each environment. */
export type RuntimeLimits = {
  /** What is theirs alone. */
  readonly memoryBytes: number | null;
  /** Processors' worth of time. */
  readonly cpus: number | null;
  /** Processes and threads at a time. */
  readonly processes: number | null;
  /** What its files take up: its own folder, and the tree that it runs on. */
  readonly diskBytes: number | null;
};

export const NO_LIMITS: RuntimeLimits = {
  memoryBytes: null,
  cpus: null,
  processes: null,
  diskBytes: null,
};

export const ISOLATION_CHOICES = ["auto", "required", "off"] as const;
export type IsolationChoice = (typeof ISOLATION_CHOICES)[number];

export type ProcessManifest = {
  /** Run by `sh -c`; `$PORT`, `$HOST`, `$URL` and the variables are in its environment. */
  readonly command: string;
  /** False for a process that listens nowhere, such as a worker. */
  readonly port: boolean;
  /** The port that its code names, whatever it is told; null: it takes the one it is told. */
  readonly ownPort: number | null;
  readonly ready: ReadyCheck;
  /** Relative to the tree's root; `.` is the root. */
  readonly folder: string;
  /** Whether the process sees edits by itself; when not, `dev` restarts it when its files change. */
  readonly reloads: boolean;
};

/** `http`: that path answers below 500. `port`: something listens. `none`: it runs. */
export type ReadyCheck =
  | { readonly kind: "http"; readonly path: string; readonly timeoutMs: number }
  | { readonly kind: "port"; readonly timeoutMs: number }
  | { readonly kind: "none" };

export type DatabaseGrants = {
  /** What the app's role may take. */
  readonly limits: DatabaseLimits;
  /** How many standbys wait to become its forks' databases. */
  readonly warm: number;
  /** Created for it, since only a superuser may. */
  readonly extensions: readonly string[];
};

/** The app's role cannot lift the first and the last. */
export type DatabaseLimits = {
  /** Sessions at a time. */
  readonly connections: number;
  /** Longer statements are ended, unless the session says otherwise; null: none is. */
  readonly statementTimeoutMs: number | null;
  /** Of temporary files, for each session; null: as many as the disk holds. */
  readonly tempFileBytes: number | null;
};

export const DEFAULT_LIMITS: DatabaseLimits = {
  connections: 50,
  statementTimeoutMs: null,
  tempFileBytes: null,
};

export const DEFAULT_GRANTS: DatabaseGrants = {
  limits: DEFAULT_LIMITS,
  warm: 1,
  extensions: [],
};

export type DatabaseManifest = {
  /** What a fork has of its source's database, unless whoever makes it says otherwise; absent: all. */
  readonly data?: ForkData;
  readonly migrate: string | null;
  readonly seed: string | null;
  /** A file of SQL, relative to the tree's root, run in a fork before anyone can connect to it. */
  readonly mask: string | null;
};

export type VariableManifest = {
  /** `$URL`, `$PORT`, ... are replaced; null when the person must set it. */
  readonly value: string | null;
  readonly secret: boolean;
  readonly required: boolean;
};

/** What stands at one place of the app's files, and what follows from it. */
export type Finding = {
  /** Such as `framework` or `migrate`. */
  readonly about: string;
  readonly value: string;
  readonly file: string;
  /** Where in the file; null: that it is there says it. */
  readonly key: string | null;
};

/** A manifest with the reasons for it. */
export type Explanation = {
  readonly manifest: Manifest;
  /** What to call the app when nobody says it. */
  readonly name: string;
  readonly findings: readonly Finding[];
  /** What a person should know or do, one sentence each. */
  readonly warnings: readonly string[];
};

/** What only a person can decide. */
export type Question = {
  readonly id: "packageManager" | "script";
  readonly text: string;
  readonly choices: readonly string[];
};

export type Answers = Readonly<Partial<Record<Question["id"], string>>>;
