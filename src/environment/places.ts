import type { EnvironmentId } from "./environment.ts";
import type { DatabaseLimits } from "./manifest.ts";

/** Where one environment's database lives, as whom it runs, and what it grants. */
export type DatabasePlace = {
  readonly id: EnvironmentId;
  /** PostgreSQL's data folder. */
  readonly folder: string;
  /** Holds the unix socket `.s.PGSQL.5432`; its path is short enough for one. */
  readonly socketFolder: string;
  /** What the server prints goes here. */
  readonly log: string;
  /** null: the caller's own user. */
  readonly uid: number | null;
  readonly mark: string;
  readonly limits: DatabaseLimits;
};

/** Where one environment's keeper and its logs live, and as whom its processes run. */
export type RuntimePlace = {
  readonly id: EnvironmentId;
  readonly socket: string;
  /** One `<process>.jsonl` for each process. */
  readonly logs: string;
  readonly user: SystemUser | null;
  readonly mark: string;
};

export type SystemUser = {
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly name: string;
};

/** The variable in the environment of everything we start, by which it is found again. */
export const MARK_VARIABLE = "RAMET_MARK";

/** Of what belongs to a home and to no environment: whoever dials for those whose network leads nowhere. */
export const WAY_OUT = "way-out";

export function formatWayOutMark(homeId: string): string {
  return `${homeId}.${WAY_OUT}.dialer`;
}

/** `<home id>.<environment id>.<role>`: whose a process is, and what for. */
export function formatMark(
  homeId: string,
  id: EnvironmentId,
  role: "database" | "runtime" | "tender",
): string {
  return `${homeId}.${id}.${role}`;
}
