import { once } from "node:events";
import { type Server, type Socket, connect, createServer } from "node:net";

import { monotonicMs } from "../base/clock.ts";
import { hasErrorCode } from "../base/problem.ts";
import { Traffic } from "../base/traffic.ts";
import type { RelayPlan } from "./plan.ts";
import { relayPortTaken } from "./problems.ts";
import { joinWays } from "./sockets/join-ways.ts";

const MAX_CONNECTIONS = 1_000;

export type Relay = Pick<RelayPlan, "port" | "socket"> & {
  /** Lets those through that were held, and all that come from now on. */
  release(): void;
  close(): Promise<void>;
};

/**
 * Pipes each connection to the socket; where nobody listens on that, the connection is closed.
 * @param onUse called when more is asked than what keeps a connection
 * @throws `relay_port_taken`
 */
export async function openRelay(
  { port, socket, isHeld }: RelayPlan,
  onUse: () => void,
): Promise<Relay> {
  const open = new Set<Socket>();
  const waiting = new Set<Socket>();
  let isReleased = !isHeld;
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (near) => {
    track(near, open);
    watchTraffic(near, onUse);
    if (isReleased) pass(near, socket, open);
    else hold(near, waiting);
  });
  server.maxConnections = MAX_CONNECTIONS;
  await listen(server, port);
  return {
    port,
    socket,
    release: () => {
      isReleased = true;
      for (const near of waiting) pass(near, socket, open);
      waiting.clear();
    },
    close: () => close(server, open),
  };
}

function track(socket: Socket, among: Set<Socket>): void {
  among.add(socket);
  socket.once("close", () => among.delete(socket));
}

/** It flows only once it is piped. */
function watchTraffic(near: Socket, onUse: () => void): void {
  const traffic = new Traffic();
  near.on("data", (chunk) => {
    if (traffic.isUse(chunk.length, monotonicMs())) onUse();
  });
  near.pause();
}

/** What it sends meanwhile stays in the system's buffer. */
function hold(near: Socket, waiting: Set<Socket>): void {
  track(near, waiting);
  near.on("error", () => near.destroy());
}

function pass(near: Socket, path: string, open: Set<Socket>): void {
  const far = connect({ path, allowHalfOpen: true });
  track(far, open);
  joinWays(near, far);
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen({ host: "127.0.0.1", port });
  try {
    await once(server, "listening");
  } catch (error) {
    throw hasErrorCode(error, "EADDRINUSE", "EACCES") ? relayPortTaken(port) : error;
  }
  server.on("error", () => {
    // No descriptor left for a connection: it is refused, the others go on.
  });
}

async function close(server: Server, open: ReadonlySet<Socket>): Promise<void> {
  server.close();
  for (const socket of open) socket.destroy();
  await once(server, "close");
}
