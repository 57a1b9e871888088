import type { ProblemFields } from "../base/problem.ts";
import type { LogLine } from "../environment/environment.ts";
import type { Unanswered } from "./forward.ts";
import { ANSWER_TIMEOUT_MS, MAX_ACTIVE_PER_TARGET } from "./limits.ts";
import * as problems from "./problems.ts";
import { type Exchange, respondProblem } from "./respond.ts";

/** The answers that a request gets from the gateway itself, when no process can give one. */

/** Whose process does not answer, and what it printed last. */
export type Failing = { readonly label: string; readonly log: readonly LogLine[] };

export function refuseRequest(exchange: Exchange, reason: string): void {
  const problem = problems.requestRefused(reason);
  respondProblem(exchange, { status: 400, badge: "400", title: "Bad request", problem });
}

export function refuseHost(exchange: Exchange, hostname: string): void {
  const problem = problems.hostUnknown(hostname);
  respondProblem(exchange, { status: 404, badge: "404", title: "No environment here", problem });
}

export function refuseLoop(exchange: Exchange, hostname: string): void {
  const problem = problems.proxyLoop(hostname);
  respondProblem(exchange, { status: 508, badge: "508", title: "Going in circles", problem });
}

export function refuseUnavailable(
  exchange: Exchange,
  { label, log }: Failing,
  problem: ProblemFields,
): void {
  const title = `${label} cannot run`;
  const retryAfterSeconds = 5;
  const badge = "Unavailable";
  respondProblem(exchange, {
    status: 503,
    badge,
    title,
    problem,
    log,
    retryAfterSeconds,
    watches: true,
  });
}

export function refuseStarting(exchange: Exchange, label: string, waitedMs: number): void {
  const problem = problems.stillStarting(label, waitedMs);
  const title = `${label} is still starting`;
  respondProblem(exchange, { status: 503, badge: "503", title, problem, retryAfterSeconds: 1 });
}

export function refuseCrowd(exchange: Exchange, label: string | null): void {
  const problem =
    label === null
      ? problems.gatewayCrowded()
      : problems.targetCrowded(label, MAX_ACTIVE_PER_TARGET);
  const title = "Too many requests";
  respondProblem(exchange, { status: 503, badge: "503", title, problem, retryAfterSeconds: 1 });
}

/** It runs and does not listen, as one does that restarts itself: the page looks again by itself. */
export function refuseUnreachable(exchange: Exchange, { label, log }: Failing, port: number): void {
  const problem = problems.targetRefusing(label, port);
  respondProblem(exchange, {
    status: 503,
    badge: "503",
    title: `No answer from ${label}`,
    problem,
    log,
    retryAfterSeconds: 1,
    watches: true,
  });
}

/** The target had the request, and there is no answer. */
export function refuseUnanswered(
  exchange: Exchange,
  { label, log }: Failing,
  unanswered: Exclude<Unanswered, "invalid" | "refused">,
): void {
  const title = `No answer from ${label}`;
  const status = unanswered === "silent" ? 504 : 502;
  const problem =
    unanswered === "silent"
      ? problems.targetSilent(label, ANSWER_TIMEOUT_MS)
      : problems.targetBroken(label);
  respondProblem(exchange, { status, badge: String(status), title, problem, log });
}

export function admitFailure(exchange: Exchange): void {
  const problem = problems.gatewayFailed();
  respondProblem(exchange, { status: 500, badge: "500", title: "A bug in Ramet", problem });
}
