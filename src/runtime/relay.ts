import { once } from "node:events";
import { type Server, type Socket, connect, createServer } from "node:net";

import { hasErrorCode } from "../base/problem.ts";
import type { RelayPlan } from "./plan.ts";
import { relayPortTaken } from "./problems.ts";

const MAX_CONNECTIONS = 1_000;

export type Relay = { readonly plan: RelayPlan; close(): Promise<void> };

/** Pipes each connection to the socket; where nobody listens on that, the connection is closed. @throws `relay_port_taken` */
export async function openRelay(plan: RelayPlan): Promise<Relay> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ path: plan.socket, allowHalfOpen: true });
    for (const socket of [near, far]) {
      open.add(socket);
      socket.once("close", () => open.delete(socket));
    }
    join(near, far);
    join(far, near);
  });
  server.maxConnections = MAX_CONNECTIONS;
  await listen(server, plan.port);
  return { plan, close: () => close(server, open) };
}

/** An end is passed on as an end, what breaks breaks both. */
function join(from: Socket, to: Socket): void {
  from.pipe(to);
  from.on("error", () => to.destroy());
  from.once("close", () => to.end());
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
