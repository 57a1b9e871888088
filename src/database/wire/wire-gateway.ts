import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";

import { systemClock } from "../../base/clock.ts";
import { messageOf } from "../../base/problem.ts";
import { tooManyConnections } from "../problems.ts";
import { CancelKeys } from "./cancel-keys.ts";
import { serveClient } from "./client-connection.ts";
import type { Route, WireContext } from "./client-connection.ts";
import { refuse } from "./relay.ts";
import { TlsKeys } from "./tls-keys.ts";

export type WireGateway = { readonly port: number; close(): Promise<void> };

const MAX_CONNECTIONS = 4_000;

/** Listens, and leads each client to the environment that its user name says. @throws Error such as `EADDRINUSE` */
export async function openGateway(options: {
  readonly host: string;
  readonly port: number;
  find(user: string): Route | undefined;
  readonly keys: string;
}): Promise<WireGateway> {
  const clients = new Set<Socket>();
  const context: WireContext = {
    find: (user) => options.find(user),
    tls: new TlsKeys(options.keys, systemClock),
    cancelKeys: new CancelKeys(),
  };
  const server = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true }, (client) => {
    clients.add(client);
    client.once("close", () => clients.delete(client));
    client.on("error", () => {
      // Reset by the client: it is destroyed, and what it was connected to with it.
    });
    void (clients.size > MAX_CONNECTIONS ? turnAway(client) : receive(client, context));
  });
  server.listen(options.port, options.host);
  await once(server, "listening");
  return { port: portOf(server), close: async () => closeAll(server, clients) };
}

async function receive(client: Socket, context: WireContext): Promise<void> {
  try {
    await serveClient(client, context);
  } catch (error) {
    // A client that left, or was silent too long; or a bug of ours, which it is told.
    await refuse(client, { code: "XX000", message: messageOf(error) });
  }
}

async function turnAway(client: Socket): Promise<void> {
  const { message, remedy } = tooManyConnections(MAX_CONNECTIONS);
  await refuse(client, { code: "53300", message, hint: remedy });
}

async function closeAll(server: Server, clients: ReadonlySet<Socket>): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, "close");
  server.close();
  for (const client of clients) client.destroy();
  await closed;
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === "string") throw new Error("A TCP server has a port.");
  return address.port;
}
