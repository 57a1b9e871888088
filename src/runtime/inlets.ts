import { once } from "node:events";
import { chmod, rm } from "node:fs/promises";
import { type Server, type Socket, createServer } from "node:net";
import path from "node:path";

import { dialPort } from "./sockets/dial-port.ts";
import { CONNECTED } from "./sockets/first-byte.ts";
import { joinWays } from "./sockets/join-ways.ts";

/** Of one port. */
const MAX_CONNECTIONS = 4_096;

/** A unix socket for each port, named after it: who connects to it is connected to the port in our own network. */
export class Inlets {
  readonly #folder: string;
  readonly #onUse: () => void;
  readonly #open = new Map<number, Server>();
  readonly #connections = new Set<Socket>();

  /** @param onUse called before whoever comes, and whatever comes of him, is passed on */
  constructor(folder: string, onUse: () => void) {
    this.#folder = folder;
    this.#onUse = onUse;
  }

  /** Resolves once it is there; at once where it is. */
  async add(port: number): Promise<void> {
    if (this.#open.has(port)) return;
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (near) => {
      void this.#pass(this.#track(near), port);
    });
    this.#open.set(port, server);
    server.maxConnections = MAX_CONNECTIONS;
    const file = path.join(this.#folder, String(port));
    // One that an earlier keeper left; whoever may write here is us.
    await rm(file, { force: true });
    server.listen(file);
    await once(server, "listening");
    await chmod(file, 0o600);
    server.on("error", () => {
      // No descriptor left for a connection: it is refused, the others go on.
    });
  }

  async close(): Promise<void> {
    for (const socket of this.#connections) socket.destroy();
    await Promise.all([...this.#open.values()].map(closeServer));
    this.#open.clear();
  }

  async #pass(near: Socket, port: number): Promise<void> {
    near.on("error", () => near.destroy());
    this.#onUse();
    const far = await dialPort(port);
    if (far === undefined || near.destroyed) {
      near.destroy();
      far?.destroy();
      return;
    }
    this.#track(far);
    near.write(CONNECTED);
    near.on("data", this.#onUse);
    // It flows only once it is piped.
    near.pause();
    joinWays(near, far);
  }

  #track(socket: Socket): Socket {
    this.#connections.add(socket);
    socket.once("close", () => this.#connections.delete(socket));
    return socket;
  }
}

async function closeServer(server: Server): Promise<void> {
  server.close();
  await once(server, "close");
}
