import type { ProblemFields } from "../base/problem.ts";

/** Where a process listens: on a port of loopback, or, in a network of its own, on one that a unix socket leads to. */
export type UpstreamAddress = { readonly port: number; readonly inlet: string | null };

export type TargetState =
  | ({ readonly kind: "ready" } & UpstreamAddress)
  | { readonly kind: "starting" }
  | { readonly kind: "asleep" }
  | { readonly kind: "unavailable"; readonly problem: ProblemFields };

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
  /** Resolves when the state may have changed since the call. */
  changed(signal: AbortSignal): Promise<void>;
};

export type FindTarget = (hostname: string) => Target | undefined;
