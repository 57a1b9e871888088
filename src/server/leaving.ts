import { isDoneWithin } from "../base/clock.ts";
import type { Gateway } from "../gateway/gateway.ts";

export type Leaving = {
  /**
   * Environments are let go of, and nobody is let in any more: `isLetGo`, unless something that was given up did not end. What
   * passes through the gateways goes on; `over` resolves when none does.
   */
  leave(): Promise<{ readonly isLetGo: boolean; readonly over: Promise<unknown> }>;
  /** What still passes is cut. */
  close(): Promise<void>;
};

export type LeaveLimits = {
  /** For what is given up, such as steps, whose processes are asked to end and then made to; whoever told the server waits for longer. */
  readonly letGoMs: number;
  readonly cutMs: number;
};

export const LEAVE_LIMITS: LeaveLimits = { letGoMs: 25_000, cutMs: 10_000 };

/** For the server's log. */
export const NOT_LET_GO =
  "What was being made did not end when it was given up: it ends with this server, and the next one clears what it leaves.";

/** How a server leaves, of which each wait has a limit: what is open still ends with its process. */
export function leaving(
  gateways: readonly Pick<Gateway, "leave" | "close">[],
  letGo: () => Promise<void>,
  limits: LeaveLimits = LEAVE_LIMITS,
): Leaving {
  return {
    leave: async () => ({
      isLetGo: await isDoneWithin(limits.letGoMs, letGo()),
      over: Promise.all(gateways.map(async (one) => one.leave())),
    }),
    close: async () => {
      const closed = Promise.all(gateways.map(async (one) => one.close()));
      await isDoneWithin(limits.cutMs, closed);
    },
  };
}
