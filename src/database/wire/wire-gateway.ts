import { once } from "node:events";
import { chmod, rm } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import path from "node:path";

import { systemClock } from "../../base/clock.ts";
import { messageOf } from "../../base/problem.ts";
import { tooManyConnections } from "../place/problems.ts";
import { CancelKeys } from "./cancel-keys.ts";
import { serveClient } from "./client-connection.ts";
import type { FindRoute, WireContext } from "./client-connection.ts";
import { refuse } from "./relay.ts";
import { TlsKeys } from "./tls-keys.ts";

export type WireGateway = {
  readonly port: number;
  /** Takes nobody in any more, and frees its port; sessions go on until `close`. Resolves once none does. */
  leave(): Promise<void>;
  close(): Promise<void>;
};

const MAX_CONNECTIONS = 4_000;

export type GatewayOptions = {
  readonly host: string;
  readonly port: number;
  readonly socketFolder?: string;
  readonly find: FindRoute;
  readonly keys: string;
};

/** Listens, and leads each client to the environment that its user name says. @throws Error such as `EADDRINUSE` */
export async function openGateway(options: GatewayOptions): Promise<WireGateway> {
  const clients = new Set<Socket>();
  const context: WireContext = {
    find: options.find,
    tls: new TlsKeys(options.keys, systemClock),
    cancelKeys: new CancelKeys(),
  };
  const welcome = (client: Socket): void => {
    clients.add(client);
    client.once("close", () => clients.delete(client));
    client.on("error", () => {
      // Reset by the client: it is destroyed, and what it was connected to with it.
    });
    void (clients.size > MAX_CONNECTIONS ? turnAway(client) : receive(client, context));
  };
  const settings = { allowHalfOpen: true, noDelay: true, keepAlive: true };
  const servers = [createServer(settings, welcome), createServer(settings, welcome)] as const;
  const leave = async (): Promise<void> => untilClosed(servers);
  const close = async (): Promise<void> => {
    const left = leave();
    for (const client of clients) client.destroy();
    await left;
  };
  try {
    return { port: await listen(servers, options), leave, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** On a port, and where clients look for the unix socket that belongs to it: that is its owner's alone. */
async function listen(
  [tcp, unix]: readonly [Server, Server],
  { host, port: wanted, socketFolder }: GatewayOptions,
): Promise<number> {
  tcp.listen(wanted, host);
  await once(tcp, "listening");
  const port = portOf(tcp);
  if (socketFolder === undefined) return port;
  const socket = path.join(socketFolder, `.s.PGSQL.${port}`);
  // What a server that was killed left: nobody else listens on a port that is ours.
  await rm(socket, { force: true });
  unix.listen(socket);
  await once(unix, "listening");
  await chmod(socket, 0o600);
  return port;
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

async function untilClosed(servers: readonly Server[]): Promise<void> {
  const closed = servers.map(async (server) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    // One that listens no more calls back as well, once its last connection has ended.
    server.close(() => resolve());
    await promise;
  });
  await Promise.all(closed);
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === "string") throw new Error("A TCP server has a port.");
  return address.port;
}
