import { monotonicMs, sleep } from "../base/clock.ts";
import type { ProblemFields } from "../base/problem.ts";
import { type Accepted, forward, type Unanswered, type Upgrade } from "./forward.ts";
import {
  BROWSER_WAIT_MS,
  MAX_ACTIVE_PER_TARGET,
  MAX_REFUSED_RETRY_MS,
  MAX_RESENDS,
  MAX_WAITING,
  REFUSED_LIMIT_MS,
  REFUSED_RETRY_MS,
  RESEND_PAUSE_MS,
} from "./limits.ts";
import * as refusals from "./refusals.ts";
import { type Exchange, isGone, isNavigation, respondWaitingPage } from "./respond.ts";
import type { Target, TargetState } from "./target.ts";
import type { Upstreams } from "./upstreams.ts";
import { isSettled, waitUntilSettled } from "./waiting.ts";

export type Delivery = Exchange & {
  readonly accepted: Accepted;
  readonly target: Target;
  readonly upgrade: Upgrade | null;
};

export type Means = {
  readonly upstreams: Upstreams;
  readonly waitMs: number;
  /** One for each request that waits; aborting it ends the wait. */
  readonly waits: Set<AbortController>;
};

/** Brings a request to its target, which is woken first, and sees to it that the client gets an answer. */
export async function deliver(delivery: Delivery, means: Means): Promise<void> {
  const leave = delivery.target.occupy();
  try {
    await tryToDeliver(delivery, means, leave);
  } finally {
    leave();
  }
}

/** @param onAnswer called when an answer begins, which may have no end */
async function tryToDeliver(delivery: Delivery, means: Means, onAnswer: () => void): Promise<void> {
  const { target, response } = delivery;
  const patience = new Patience(delivery, means);
  const onUse = (): void => target.touch();
  const onSent = (): void => target.stir();
  const onVerdict = (problem: ProblemFields | null): void => target.report(problem);
  for (;;) {
    const state = await settle(delivery, means);
    if (isGone(response) || state === undefined) return;
    if (state.kind !== "ready") {
      await respondUnready(delivery, state, means);
      return;
    }
    const upstream = means.upstreams.at(target.label, state);
    if (upstream.active >= MAX_ACTIVE_PER_TARGET) {
      refusals.refuseCrowd(delivery, target.label);
      return;
    }
    const unanswered = await forward({ ...delivery, upstream, onAnswer, onUse, onSent, onVerdict });
    if (unanswered === undefined) return;
    if (await patience.allows(unanswered)) continue;
    await respondUnanswered(delivery, state.port, unanswered);
    return;
  }
}

/** Undefined when too many wait already, and the client has been told. */
async function settle(delivery: Delivery, means: Means): Promise<TargetState | undefined> {
  const state = delivery.target.state();
  if (isSettled(state)) return state;
  if (means.waits.size >= MAX_WAITING) {
    refusals.refuseCrowd(delivery, null);
    return undefined;
  }
  const stop = new AbortController();
  const leave = (): void => {
    stop.abort();
  };
  means.waits.add(stop);
  delivery.response.once("close", leave);
  try {
    const timeoutMs = waitsForPage(delivery) ? BROWSER_WAIT_MS : means.waitMs;
    return await waitUntilSettled(delivery.target, { timeoutMs, signal: stop.signal });
  } finally {
    means.waits.delete(stop);
    delivery.response.off("close", leave);
  }
}

function waitsForPage({ request, upgrade }: Delivery): boolean {
  return upgrade === null && isNavigation(request);
}

async function respondUnready(
  delivery: Delivery,
  state: Exclude<TargetState, { kind: "ready" }>,
  means: Means,
): Promise<void> {
  const { label } = delivery.target;
  if (state.kind === "unavailable") {
    refusals.refuseUnavailable(delivery, await describeFailing(delivery), state.problem);
    return;
  }
  if (waitsForPage(delivery)) respondWaitingPage(delivery, { label, state: state.kind });
  else refusals.refuseStarting(delivery, label, means.waitMs);
}

async function respondUnanswered(
  delivery: Delivery,
  port: number,
  unanswered: Unanswered,
): Promise<void> {
  if (unanswered === "invalid") {
    refusals.refuseRequest(delivery, "its target or a header holds a forbidden character");
    return;
  }
  const failing = await describeFailing(delivery);
  if (unanswered === "refused") refusals.refuseUnreachable(delivery, failing, port);
  else refusals.refuseUnanswered(delivery, failing, unanswered);
}

async function describeFailing({ target }: Delivery): Promise<refusals.Failing> {
  return { label: target.label, log: await target.lastLines() };
}

/** How often one request is tried again. */
class Patience {
  readonly #delivery: Delivery;
  readonly #refusedLimitMs: number;
  #refusedAtMs: number | undefined;
  #refusals = 0;
  #resends = 0;

  constructor(delivery: Delivery, { waitMs }: Means) {
    this.#delivery = delivery;
    this.#refusedLimitMs = waitsForPage(delivery) ? Math.min(REFUSED_LIMIT_MS, waitMs) : waitMs;
  }

  /** Waits a little where that helps. */
  async allows(unanswered: Unanswered): Promise<boolean> {
    if (unanswered === "lost") return this.#allowsResending();
    return unanswered === "refused" && this.#allowsReconnecting();
  }

  /** Nothing was sent, and it runs: it will listen again, unless it hangs. */
  async #allowsReconnecting(): Promise<boolean> {
    this.#refusedAtMs ??= monotonicMs();
    if (monotonicMs() - this.#refusedAtMs > this.#refusedLimitMs) return false;
    this.#refusals += 1;
    await sleep(Math.min(this.#refusals * REFUSED_RETRY_MS, MAX_REFUSED_RETRY_MS));
    return true;
  }

  /** For what changes nothing. Its connection may have been an old one; more often only if the process is alive: it may be this request that ends it. */
  async #allowsResending(): Promise<boolean> {
    const { accepted, target } = this.#delivery;
    const isSafe = accepted.method === "GET" || accepted.method === "HEAD";
    if (this.#resends >= MAX_RESENDS || !isSafe || accepted.hasBody) return false;
    await sleep(this.#resends * RESEND_PAUSE_MS);
    this.#resends += 1;
    return this.#resends === 1 || target.state().kind === "ready";
  }
}
