import type { Clock } from "../../base/clock.ts";
import type { ProblemFields } from "../../base/problem.ts";
import type { PostgresSupply } from "../../database/database.ts";
import type { EnvironmentId } from "../../environment/environment.ts";
import type { SystemUser } from "../../environment/places.ts";
import type { ControlGroups } from "../../limits/limits.ts";
import type { Isolation, Runtime } from "../../runtime/runtime.ts";
import type { Layout } from "../home/layout.ts";
import type { HomeOptions } from "../home/open-home.ts";
import type { Admission } from "./admission.ts";
import type { Calm } from "./calm.ts";
import type { Installs } from "./installs.ts";
import type { SpareLimits } from "./spare-limits.ts";
import type { StandbyLimits } from "./standby-budget.ts";

/** Listeners of our own, as other programs are told of them. */
export type Listeners = { readonly gatewayPort: number; readonly databasePort: number };

export type Fronts = {
  readonly fronts: readonly { readonly port: number; readonly process: string }[];
  readonly frontProblems: readonly ProblemFields[];
};

/** How it is reached besides its own address. */
export type Ways = Fronts & {
  /** Below which it has a name as well. */
  readonly domain: string | null;
};

/** What every environment of one engine works with. */
export type EngineContext = {
  readonly layout: Layout;
  readonly clock: Clock;
  readonly postgres: PostgresSupply;
  /** How to run whoever tends an environment's files for those who visit them: program and arguments. */
  readonly tenderProgram: readonly string[];
  /** What of the server's own environment its children may see. */
  readonly inherited: Readonly<Record<string, string>>;
  /** Known once the listeners are open. */
  readonly listeners: () => Listeners;
  /** The plain ports that lead to an environment, what is wrong with them, and the domain. */
  readonly fronts: (id: EnvironmentId) => Ways;
  /** How this machine keeps the processes of one user apart; tried out once for each. */
  readonly isolation: (user: SystemUser | null) => Promise<Isolation>;
  /** Sees to it that somebody dials for those in networks of their own. */
  readonly wayOut: () => Promise<void>;
  /** A line for the server's own log. */
  readonly log: (text: string) => void;
  /** Called before and after each step that leaves a trace on disk or among processes; tests end the server here. */
  readonly checkpoint: (step: string) => Promise<void> | void;
  /** What is made ahead is made while it lasts. */
  readonly calm: Calm;
  readonly standbys: StandbyLimits;
  readonly spares: SpareLimits;
  readonly installs: Installs;
  /** Where processes are kept together and bound; null: this machine lets us have none. */
  readonly groups: ControlGroups | null;
  /** Whether there is memory for one more. */
  readonly admission: Admission;
  /** Keepers that were started while their environment's other parts are still being made. */
  readonly keepers: Map<EnvironmentId, Promise<Runtime>>;
};

/** What an engine is opened with; the rest of its context is made from it. */
export type EngineOptions = HomeOptions &
  Pick<EngineContext, "clock" | "tenderProgram" | "inherited" | "listeners" | "fronts" | "log"> &
  Partial<Pick<EngineContext, "checkpoint">> & {
    /** The folder of the PostgreSQL that new databases run on; null: the one that comes with Ramet. */
    readonly postgresBin: string | null;
  };
