import type { DatabaseRecord, EnvironmentId, EnvironmentRecord, Report } from "./environment.ts";

/** An environment as it is planned, before its database is there. */
export type Draft = Omit<EnvironmentRecord, "database" | "state">;

/** What an engine gives for making and removing environments; each part is built where it stays. */
export type Parts = {
  /** Makes the empty folders of a new environment. */
  prepare(draft: Draft): Promise<void>;
  /** Fills its file tree. Resolves with how. */
  provideFiles(draft: Draft): Promise<string>;
  /** Makes or forks its database, and leaves it running. Resolves with null where the app has none. */
  provideDatabase(
    draft: Draft,
  ): Promise<{ readonly record: DatabaseRecord | null; readonly detail: string }>;
  /** The commit: after it the environment is there. */
  writeRecord(record: EnvironmentRecord): Promise<void>;
  /** The commit of a delete: after it the environment is not there. */
  removeRecord(record: EnvironmentRecord): Promise<void>;
  /** Ends every process of this id and removes every folder; no matter how far it had come. */
  clear(id: EnvironmentId): Promise<void>;
};

/** The milliseconds that each part took; they ran side by side. */
export type PartTimings = { readonly files: number; readonly database: number };

export type Built = { readonly record: EnvironmentRecord; readonly timings: PartTimings };

export type BuildOptions = {
  readonly report: Report;
  /** Milliseconds of a monotonic clock. */
  readonly clock: () => number;
  /** The caller went away: what was begun is taken back, unless it was committed. */
  readonly signal: AbortSignal;
};
