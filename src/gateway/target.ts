import type { Socket } from "node:net";

import type { ProblemFields } from "../base/problem.ts";
import type { LogLine } from "../environment/environment.ts";

/** Where a process listens: on a port of loopback, or, in a network of its own, on one that an inlet leads to. */
export type UpstreamAddress = { readonly port: number; readonly inlet: Inlet | null };

/** Two ways to a port in a network that is not ours. */
export type Inlet = {
  /** A connection that was made there and is handed to us. */
  readonly dial: () => Promise<Dialled>;
  /** A unix socket: each connection to it is another process's to the port, which says so by a first byte. */
  readonly path: string;
};

export type Dialled =
  | { readonly kind: "connected"; readonly connection: Socket }
  /** Nobody listens there. */
  | { readonly kind: "refused" }
  /** None is handed over just now. */
  | { readonly kind: "unavailable" };

export type TargetState =
  | ({ readonly kind: "ready" } & UpstreamAddress)
  | { readonly kind: "starting" }
  | { readonly kind: "asleep" }
  | { readonly kind: "unavailable"; readonly problem: ProblemFields };

/** What became of one request. */
export type Access = {
  readonly method: string;
  readonly path: string;
  readonly host: string;
  /** Such as `HTTP/2.0`. */
  readonly protocol: string;
  /** 499: the client left before it was answered. */
  readonly status: number;
  /** Until the answer, or the WebSocket, was over. */
  readonly ms: number;
};

/** Where the requests for a host name go. */
export type Target = {
  /** `shop--x`, for pages. */
  readonly label: string;
  state(): TargetState;
  /** Begins to wake it and returns at once; a second call while it wakes does nothing. */
  wake(): void;
  /** Somebody waits for an answer of it until the returned function is called. */
  occupy(): () => void;
  /** More passes between it and a client than what keeps their connection. */
  touch(): void;
  /** Something passes to it, be it only what keeps a connection: it must run. */
  stir(): void;
  /** A request for it is over. */
  note(access: Access): void;
  /** What an answer of it shows to be wrong; null: it was a good one. */
  report(problem: ProblemFields | null): void;
  /** What its process printed last, for whoever finds that it does not answer. */
  lastLines(): Promise<readonly LogLine[]>;
  /** Resolves when the state may have changed since the call. */
  changed(signal: AbortSignal): Promise<void>;
};

/** A promise: who is there is not known yet. */
export type FindTarget = (hostname: string) => Found | Promise<Found>;
type Found = Target | undefined;
