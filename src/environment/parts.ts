import type {
  DatabaseFork,
  DatabaseRecord,
  EnvironmentId,
  EnvironmentRecord,
  PreparationStep,
  Report,
} from "./environment.ts";

/** An environment as it is planned, before its parts are there. */
export type Draft = Omit<
  EnvironmentRecord,
  "database" | "state" | "remaining" | "missingMigrations" | "generation" | "replaced"
>;

/** `fork` null: it was made from nothing, or there is none. */
export type ProvidedDatabase = {
  readonly record: DatabaseRecord | null;
  readonly detail: string;
  readonly fork: DatabaseFork | null;
};

/** What an engine gives for making an environment; each part is built where it stays. */
export type Parts = {
  /** Makes the empty folders of a new environment. */
  prepare(draft: Draft): Promise<void>;
  /** What is to be run in it before its processes, by its files as they are. */
  listSteps(draft: Draft): Promise<readonly PreparationStep[]>;
  /** Fills its file tree. Resolves with how. */
  provideFiles(draft: Draft): Promise<string>;
  /** Makes or forks its database, and leaves it running. Resolves with null where the app has none. */
  provideDatabase(draft: Draft): Promise<ProvidedDatabase>;
  /**
   * Starts its processes as soon as its database is near; what they ask of that waits. Called once its files are there,
   * and only where nothing is to be run before them. Resolves also where they could not be started: a wake tries again.
   */
  startProcesses(draft: Draft): Promise<void>;
  /** The commit: after it the environment is there. */
  writeRecord(record: EnvironmentRecord): Promise<void>;
  /** Ends every process of this id and removes every folder; no matter how far it had come. */
  clear(id: EnvironmentId): Promise<void>;
};

/** The milliseconds that each part took; they ran side by side. */
export type PartTimings = { readonly files: number; readonly database: number };

export type Built = {
  readonly record: EnvironmentRecord;
  readonly fork: DatabaseFork | null;
  readonly timings: PartTimings;
};

export type BuildOptions = {
  readonly report: Report;
  /** Milliseconds of a monotonic clock. */
  readonly clock: () => number;
  /** The caller went away: what was begun is taken back, unless it was committed. */
  readonly signal: AbortSignal;
};
