import { once } from "node:events";
import { type Server, type Socket, createServer } from "node:net";

import { hasErrorCode } from "../base/problem.ts";
import type { OwnAddresses } from "./plan.ts";
import { dialPort } from "./sockets/dial-port.ts";
import { endAfter } from "./sockets/end-after.ts";
import { joinWays } from "./sockets/join-ways.ts";

const HOSTS = ["127.0.0.1", "::1"] as const;
const MAX_CONNECTIONS = 1_000;
/** Of a request's header, within which its host must stand. */
const MAX_HEADER_BYTES = 64 * 1024;
const HEADER_MS = 30_000;
const HOST = /\r\nhost:[ \t]*([^\r\n:]+)(?::\d+)?[ \t]*\r\n/i;

/**
 * In a network of its own an environment's addresses lead to its own processes, at the gateway's port, and to nobody
 * else's. Whose a connection is, its first request says.
 */
export class OwnAddressServer {
  readonly #plan: OwnAddresses;
  readonly #servers: Server[] = [];
  readonly #open = new Set<Socket>();

  constructor(plan: OwnAddresses) {
    this.#plan = plan;
  }

  async open(): Promise<void> {
    for (const host of HOSTS) {
      const server = createServer({ allowHalfOpen: true }, (near) => void this.#pass(near));
      server.maxConnections = MAX_CONNECTIONS;
      server.listen({ host, port: this.#plan.port });
      try {
        await once(server, "listening");
        this.#servers.push(server);
      } catch (error) {
        // A process of its own listens there: it is reached without us.
        if (!hasErrorCode(error, "EADDRINUSE", "EADDRNOTAVAIL")) throw error;
      }
    }
  }

  close(): void {
    for (const server of this.#servers) server.close();
    for (const socket of this.#open) socket.destroy();
  }

  async #pass(near: Socket): Promise<void> {
    this.#track(near).on("error", () => near.destroy());
    const host = await readHost(near);
    const port = host === undefined ? undefined : this.#plan.hosts[host];
    const far = port === undefined ? undefined : await dialPort(port);
    if (far === undefined || near.destroyed) {
      near.destroy();
      far?.destroy();
      return;
    }
    joinWays(near, this.#track(far));
  }

  #track(socket: Socket): Socket {
    this.#open.add(socket);
    socket.once("close", () => this.#open.delete(socket));
    return socket;
  }
}

/** What was read is put back. */
async function readHost(near: Socket): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  let heard = Buffer.alloc(0);
  const read = (chunk: Buffer): void => {
    heard = Buffer.concat([heard, chunk]);
    const host = HOST.exec(heard.toString("latin1"))?.[1];
    if (host === undefined && heard.length < MAX_HEADER_BYTES) return;
    resolve(host?.toLowerCase());
  };
  const lift = endAfter(near, HEADER_MS);
  near.on("data", read).once("close", () => resolve(undefined));
  const host = await promise;
  lift();
  near.off("data", read).pause();
  near.unshift(heard);
  return host;
}
