import { type IncomingMessage, ServerResponse } from "node:http";
import { Http2ServerRequest } from "node:http2";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";

import { deliver, type Means } from "./deliver.ts";
import type { Accepted, Upgrade } from "./forward.ts";
import {
  type Inspected,
  inspectRequest,
  inspectStream,
  reasonAgainstUpgrade,
} from "./inspect-request.ts";
import { MAX_HOPS } from "./limits.ts";
import { noteAccess } from "./note-access.ts";
import { WAITING_HEADER } from "./pages.ts";
import * as refusals from "./refusals.ts";
import {
  type Client,
  type Exchange,
  type Request,
  type Response,
  respondState,
} from "./respond.ts";
import type { FindTarget, Target } from "./target.ts";

/** Decides for each request which target gets it, if any. */
export class Router {
  readonly #find: FindTarget;
  readonly #means: Means;
  readonly #upgraded = new Set<Duplex>();
  /** Connections on which something was refused: what follows on them may be the tail of a smuggled request. */
  readonly #refused = new WeakSet<Duplex>();

  constructor(find: FindTarget, means: Means) {
    this.#find = find;
    this.#means = means;
  }

  serve(request: Request, response: Response): void {
    this.#run({ request, response, client: describeClient(request) }, null);
  }

  upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const response = answerOn(socket, request);
    if (response === undefined) return;
    this.#upgraded.add(socket);
    socket.once("close", () => this.#upgraded.delete(socket));
    this.#run({ request, response, client: describeClient(request) }, { socket, head });
  }

  /** Whoever waits for a target is told that it is not there yet. */
  stopWaiting(): void {
    for (const wait of this.#means.waits) wait.abort();
  }

  /** The same, and ends the WebSockets. */
  cut(): void {
    this.stopWaiting();
    for (const socket of this.#upgraded) socket.destroy();
  }

  #run(exchange: Exchange, upgrade: Upgrade | null): void {
    // Whatever happens to the connection is seen by its `close`.
    exchange.response.on("error", () => undefined);
    this.#route(exchange, upgrade).catch((error: unknown) => {
      process.emitWarning(error instanceof Error ? (error.stack ?? error.message) : String(error));
      refusals.admitFailure(exchange);
    });
  }

  async #route(exchange: Exchange, upgrade: Upgrade | null): Promise<void> {
    const accepted = this.#admit(exchange, upgrade);
    if (accepted === undefined) return;
    const target = await this.#find(accepted.hostname);
    if (target === undefined) {
      refusals.refuseHost(exchange, accepted.hostname);
      return;
    }
    if (asksForState(exchange.request)) {
      respondState(exchange, tellState(target));
      return;
    }
    noteAccess(exchange, { accepted, upgrade, target });
    await deliver({ ...exchange, accepted, target, upgrade }, this.#means);
  }

  #admit(exchange: Exchange, upgrade: Upgrade | null): Accepted | undefined {
    const { request, response } = exchange;
    const isStream = request instanceof Http2ServerRequest;
    if (!isStream && this.#refused.has(request.socket)) {
      response.destroy();
      return undefined;
    }
    const inspected = isStream ? inspectStream(request) : inspectMessage(request, upgrade);
    if (inspected.kind === "refused") {
      if (!isStream) this.#refused.add(request.socket);
      refusals.refuseRequest(exchange, inspected.reason);
      return undefined;
    }
    if (inspected.hops < MAX_HOPS) return inspected;
    refusals.refuseLoop(exchange, inspected.hostname);
    return undefined;
  }
}

function inspectMessage(request: IncomingMessage, upgrade: Upgrade | null): Inspected {
  const reason = upgrade === null ? undefined : reasonAgainstUpgrade(request);
  const inspected = inspectRequest(request);
  if (inspected.kind === "refused" || reason === undefined) return inspected;
  return { kind: "refused", reason };
}

/** Now: once the connection is gone, nobody can say any more. */
function describeClient({ socket }: Request): Client {
  return {
    address: socket.remoteAddress ?? "unknown",
    isEncrypted: socket instanceof TLSSocket || "encrypted" in socket,
  };
}

function asksForState(request: Request): boolean {
  return request.headers[WAITING_HEADER] !== undefined;
}

/** Somebody looks at the page, so what fell asleep again is woken again. */
function tellState(target: Target): "ready" | "unavailable" | "waiting" {
  const { kind } = target.state();
  if (kind === "asleep") target.wake();
  return kind === "ready" || kind === "unavailable" ? kind : "waiting";
}

/**
 * Node gives no response object to an upgrade, and takes its own listeners off the socket. Undefined when
 * the answer to an earlier request on it is still under way.
 */
function answerOn(socket: Socket, request: IncomingMessage): ServerResponse | undefined {
  socket.on("error", () => {
    socket.destroy();
  });
  const response = new ServerResponse(request);
  try {
    response.assignSocket(socket);
  } catch {
    // A client that did not wait for its answer before it asked to leave HTTP.
    socket.destroy();
    return undefined;
  }
  response.shouldKeepAlive = false;
  socket.on("drain", () => response.emit("drain"));
  response.once("finish", () => {
    response.detachSocket(socket);
    socket.destroySoon();
  });
  return response;
}
