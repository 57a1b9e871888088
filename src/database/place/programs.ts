import type { PostgresRecord } from "../../environment/environment.ts";

/** The programs of one PostgreSQL. */
export type Programs = {
  /** Such as `15.18`. */
  readonly version: string;
  readonly major: number;
  /** The folder of `postgres` and `initdb`. */
  readonly bin: string;
  readonly origin: "ramet" | "user";
  /** Tells builds of one version from each other; part of a file's name. */
  readonly build: string;
};

export type Postgres = {
  readonly programs: Programs;
  /** The data folder that new databases are copied from. */
  readonly template: string;
};

export const OLDEST_MAJOR = 14;
export const NEWEST_MAJOR = 18;

/** What is written down of a database that these programs made. */
export function recordOf({ version, bin, origin }: Programs): PostgresRecord {
  return { version, bin: origin === "user" ? bin : null };
}

/** `15` of `15.18`, and of `15beta2`. */
export function majorOf(version: string): number {
  return Number.parseInt(version, 10);
}
