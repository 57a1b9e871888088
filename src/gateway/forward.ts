import { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { type Duplex, PassThrough } from "node:stream";

import type { Dispatcher } from "undici";

import { monotonicMs } from "../base/clock.ts";
import { hasErrorCode, type ProblemFields } from "../base/problem.ts";
import { Traffic } from "../base/traffic.ts";
import {
  forwardRequestHeaders,
  forwardResponseHeaders,
  type RawHeaders,
} from "./forwarded-headers.ts";
import { findHostRefusal, mayRefuseHost } from "./host-refusal.ts";
import type { Inspected } from "./inspect-request.ts";
import { joinSockets, writeSwitchingProtocols } from "./join-sockets.ts";
import { type Exchange, flushHead, isGone, writeChunk, writeHead } from "./respond.ts";
import type { Upstream } from "./upstreams.ts";

export type Accepted = Extract<Inspected, { kind: "accepted" }>;

/** A client's socket that waits for `101 Switching Protocols`, and what it has sent already. */
export type Upgrade = { readonly socket: Socket; readonly head: Buffer };

export type Forwarding = Exchange & {
  readonly accepted: Accepted;
  readonly upstream: Upstream;
  /** null for a request that asks for no other protocol. */
  readonly upgrade: Upgrade | null;
  /** The answer begins. */
  readonly onAnswer: () => void;
  /** More passes than what keeps the connection. */
  readonly onUse: () => void;
  /** Something passes to the target. */
  readonly onSent: () => void;
  /** What the answer shows to be wrong with the target; null: it was a good one. */
  readonly onVerdict: (problem: ProblemFields | null) => void;
};

/**
 * Why the client has got no answer yet. `refused`: nothing was sent; `lost`: it was sent, and the
 * connection ended or spoke no HTTP; `silent`: no answer within the limit; `invalid`: it cannot be sent.
 */
export type Unanswered = "refused" | "lost" | "silent" | "invalid";

/**
 * Sends a request on and its answer back, both as streams. Resolves when the exchange is over: with
 * `undefined` when the client has its answer, or is gone.
 */
export function forward(forwarding: Forwarding): Promise<Unanswered | undefined> {
  const { promise, resolve } = Promise.withResolvers<Unanswered | undefined>();
  const { accepted, client, upstream, upgrade } = forwarding;
  const body = accepted.hasBody ? new PassThrough() : null;
  const headers = forwardRequestHeaders(accepted.headers, {
    ...client,
    host: accepted.host,
    hops: accepted.hops,
  });
  upstream.active += 1;
  upstream.pool.dispatch(
    {
      path: accepted.path,
      method: accepted.method,
      headers,
      body,
      upgrade: upgrade === null ? null : "websocket",
    },
    new Relay(forwarding, body, (unanswered) => {
      upstream.active -= 1;
      resolve(unanswered);
    }),
  );
  return promise;
}

class Relay implements Dispatcher.DispatchHandler {
  readonly #forwarding: Forwarding;
  readonly #body: PassThrough | null;
  readonly #finish: (unanswered: Unanswered | undefined) => void;
  #controller: Dispatcher.DispatchController | null = null;
  readonly #traffic = new Traffic();
  #isFinished = false;
  #hasBodyBegun = false;
  #mayRefuseHost = false;

  constructor(
    forwarding: Forwarding,
    body: PassThrough | null,
    finish: (unanswered: Unanswered | undefined) => void,
  ) {
    this.#forwarding = forwarding;
    this.#body = body;
    this.#finish = finish;
    forwarding.response.once("close", this.#abort);
  }

  /** The connection stands; only now is the client's body touched, so that a refusal can be tried again. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    const { request, response, onSent } = this.#forwarding;
    this.#controller = controller;
    if (isGone(response)) {
      this.#abort();
      return;
    }
    if (this.#body === null) return;
    if (request.headers.expect !== undefined) response.writeContinue();
    request.on("data", onSent).pipe(this.#body);
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    if (status < 200) return;
    const { response, onAnswer, onVerdict } = this.#forwarding;
    onAnswer();
    if (status < 400) onVerdict(null);
    this.#mayRefuseHost = mayRefuseHost(status);
    writeHead(response, status, forwardResponseHeaders(readRawHeaders(controller)));
    queueMicrotask(() => {
      // An event stream's header arrives before its first event; other headers leave with their body.
      if (!this.#hasBodyBegun && !this.#isFinished) flushHead(response);
    });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const { response, onUse } = this.#forwarding;
    if (this.#mayRefuseHost && !this.#hasBodyBegun) this.#judge(chunk);
    this.#hasBodyBegun = true;
    if (this.#traffic.isUse(chunk.length, monotonicMs())) onUse();
    if (writeChunk(response, chunk)) return;
    controller.pause();
    response.once("drain", () => {
      controller.resume();
    });
  }

  #judge(chunk: Buffer): void {
    const { accepted, onVerdict } = this.#forwarding;
    const problem = findHostRefusal(accepted.hostname, chunk);
    if (problem !== undefined) onVerdict(problem);
  }

  onResponseEnd(): void {
    const { request, response } = this.#forwarding;
    this.#settle(undefined);
    response.end();
    if (this.#body === null || request.complete) return;
    // Answered before all was sent: the rest is read and dropped, so that the client can read the answer.
    request.unpipe(this.#body);
    request.resume();
  }

  onRequestUpgrade(
    controller: Dispatcher.DispatchController,
    ...[, , socket]: [status: number, headers: unknown, socket: Duplex]
  ): void {
    const { response, upgrade, onAnswer, onUse, onSent } = this.#forwarding;
    onAnswer();
    if (upgrade === null) throw new Error("Only an upgrade is answered with one.");
    response.off("close", this.#abort);
    response.statusCode = 101;
    if (response instanceof ServerResponse) response.detachSocket(upgrade.socket);
    writeSwitchingProtocols(upgrade.socket, forwardResponseHeaders(readRawHeaders(controller)));
    joinSockets(upgrade, socket, { onUse, onSent, onEnd: () => this.#settle(undefined) });
  }

  onResponseError(_controller: unknown, error: Error): void {
    const { response } = this.#forwarding;
    const isAnswered = response.headersSent;
    this.#settle(isAnswered || isGone(response) ? undefined : this.#explain(error));
    // The client must not take what it has for the whole answer.
    if (isAnswered) response.destroy();
  }

  #explain(error: Error): Unanswered {
    if (hasErrorCode(error, "UND_ERR_INVALID_ARG", "UND_ERR_NOT_SUPPORTED")) return "invalid";
    if (this.#controller === null) return "refused";
    return hasErrorCode(error, "UND_ERR_HEADERS_TIMEOUT") ? "silent" : "lost";
  }

  readonly #abort = (): void => {
    if (!this.#isFinished) this.#controller?.abort(new Error("The client went away."));
  };

  #settle(unanswered: Unanswered | undefined): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    this.#forwarding.response.off("close", this.#abort);
    this.#finish(unanswered);
  }
}

function readRawHeaders(controller: Dispatcher.DispatchController): RawHeaders {
  const raw = controller.rawHeaders;
  return Array.isArray(raw) ? raw : [];
}
