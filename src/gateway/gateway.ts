/** One address for all: finds the environment a host name belongs to, wakes it, and carries its HTTP and WebSockets. */
import type { Server } from "node:net";

import { type Clock, sleep, waitFor } from "../base/clock.ts";
import * as certificates from "./certificates.ts";
import { Entrance } from "./entrance.ts";
import * as limits from "./limits.ts";
import { listen } from "./listen.ts";
import { Router } from "./router.ts";
import type * as targets from "./target.ts";
import { Upstreams } from "./upstreams.ts";

/** One that is leaving looks so often for connections that nobody uses any more. */
const IDLE_LOOK_MS = 20;

export type TargetState = targets.TargetState;
export type Target = targets.Target;
export type Access = targets.Access;
export type Certificates = certificates.Certificates;

export type Gateway = {
  readonly port: number;
  /** Takes nobody in any more, and frees its port; what is under way goes on until `close`. Resolves once nothing is. */
  leave(): Promise<void>;
  close(): Promise<void>;
};

/**
 * Listens on `host`; on 127.0.0.1 means on ::1 too. `waitMs`: how long a program's request waits for its target.
 * Without `certificates` no TLS is spoken.
 * @throws EADDRINUSE when the port is taken on either
 */
export async function openGateway(options: {
  readonly host: string;
  readonly port: number;
  readonly find: targets.FindTarget;
  readonly waitMs?: number;
  readonly certificates?: Certificates;
}): Promise<Gateway> {
  const upstreams = new Upstreams();
  const waitMs = options.waitMs ?? limits.PROGRAM_WAIT_MS;
  const router = new Router(options.find, { upstreams, waitMs, waits: new Set() });
  const entrance = new Entrance(router, options.certificates ?? null);
  try {
    const { port, servers } = await listen(options, () => entrance.createListener());
    return new OpenGateway(port, { servers, router, entrance, upstreams });
  } catch (error) {
    entrance.close();
    await upstreams.close();
    throw error;
  }
}

/** The certificates of a home, whose keys lie in `folder`; and those that its user has `given`. */
export function openCertificates(
  folder: string,
  clock: Clock,
  given: certificates.FindGiven = async () => undefined,
): Certificates {
  return new certificates.Certificates(folder, clock, given);
}

type Parts = {
  readonly servers: readonly Server[];
  readonly router: Router;
  readonly entrance: Entrance;
  readonly upstreams: Upstreams;
};

class OpenGateway implements Gateway {
  readonly port: number;
  readonly #parts: Parts;
  /** How many of its servers somebody is still connected to. */
  #open: number;
  #left: Promise<void> | undefined;

  constructor(port: number, parts: Parts) {
    this.port = port;
    this.#parts = parts;
    this.#open = parts.servers.length;
  }

  leave(): Promise<void> {
    this.#left ??= this.#leave();
    return this.#left;
  }

  /** What is in flight may end, within a limit; WebSockets, which never end by themselves, are cut. */
  async close(): Promise<void> {
    const { router, entrance, upstreams } = this.#parts;
    const left = this.leave();
    router.cut();
    await waitFor(() => this.#hasNobody || undefined, { timeoutMs: limits.CLOSE_LIMIT_MS });
    router.cut();
    entrance.close();
    await left;
    await upstreams.close();
  }

  get #hasNobody(): boolean {
    return this.#open === 0;
  }

  /** Nobody waits any longer for a target to wake, and a connection on which nothing is asked is closed. */
  async #leave(): Promise<void> {
    const { servers, router, entrance } = this.#parts;
    for (const server of servers) server.close(() => void (this.#open -= 1));
    router.stopWaiting();
    while (!this.#hasNobody) {
      entrance.closeIdle();
      await sleep(IDLE_LOOK_MS);
    }
  }
}
