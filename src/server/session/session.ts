import type { Access } from "../../access/access.ts";
import type { Engine } from "../../engine/engine.ts";
import type { LogLine, Report } from "../../environment/environment.ts";
import type { Certificates } from "../../gateway/gateway.ts";
import type { ServerStatus } from "../../protocol/schemas.ts";
import type { OwnDomain } from "../addresses/domain.ts";
import type { Fronts } from "../addresses/fronts.ts";
import type { ServedTrees } from "../trees/served-trees.ts";
import type { Caller } from "./caller.ts";

/** What a call works with: the engine, and the caller who listens meanwhile. */
export type Session = {
  readonly engine: Engine;
  readonly certificates: Certificates;
  readonly fronts: Fronts;
  readonly domain: OwnDomain;
  /** Who may ask from afar. */
  readonly access: Access;
  readonly caller: Caller;
  /** The trees that are visited from afar. */
  readonly trees: ServedTrees;
  /** The server's own PATH, for callers whose own says nothing about this machine. */
  readonly searchPath: string;
  /** Tells the caller how far it is. */
  readonly report: Report;
  /** Sends the caller a line of a log. */
  readonly line: (line: LogLine) => void;
  /** Says that this very question was asked before, and is written down already. */
  readonly again: () => void;
  /** Aborted when the caller has gone. */
  readonly signal: AbortSignal;
  readonly status: () => ServerStatus;
  /** Ends the server once this call is answered. `stopped`: its environments have ended before. */
  readonly leave: (how: "stopped" | "left") => void;
};
