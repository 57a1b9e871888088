import type { AddressInfo, Server } from "node:net";

import { hasErrorCode } from "../base/problem.ts";
import { MAX_PORT_ATTEMPTS } from "./limits.ts";

const LOOPBACK_4 = "127.0.0.1";
const LOOPBACK_6 = "::1";

export type Listening = { readonly port: number; readonly servers: readonly Server[] };

/**
 * Listens on `host`; for 127.0.0.1 on ::1 as well, where the machine has it: whoever else listened there
 * would get the requests of clients whose `localhost` is ::1. Port 0 is a port that is free on both.
 * @throws EADDRINUSE when either is taken
 */
export async function listen(
  address: { readonly host: string; readonly port: number },
  createServer: () => Server,
): Promise<Listening> {
  for (let attempt = 1; ; attempt += 1) {
    const first = await bind(createServer(), address.host, address.port);
    const port = portOf(first);
    if (address.host !== LOOPBACK_4) return { port, servers: [first] };
    try {
      return { port, servers: [first, await bind(createServer(), LOOPBACK_6, port)] };
    } catch (error) {
      if (hasErrorCode(error, "EADDRNOTAVAIL", "EAFNOSUPPORT")) return { port, servers: [first] };
      await stop(first);
      const mayTryAnother = address.port === 0 && attempt < MAX_PORT_ATTEMPTS;
      if (!mayTryAnother || !hasErrorCode(error, "EADDRINUSE")) throw error;
    }
  }
}

function bind(server: Server, host: string, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, () => {
      server.off("error", reject);
      resolve(server);
    });
  });
}

function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
  });
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === "string") throw new Error("It listens on no port.");
  return address.port;
}
