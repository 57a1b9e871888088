import { request } from "node:http";
import type { IncomingMessage } from "node:http";
import { createServer } from "node:net";
import type { Socket } from "node:net";

import { hasErrorCode, Problem } from "../../base/problem.ts";
import {
  DATABASE_TUNNEL,
  PROTOCOL_HEADER,
  PROTOCOL_VERSION,
  TOKEN_HEADER,
} from "../../protocol/headers.ts";
import type { RemoteServer } from "../terminal/context.ts";
import { parseMessage } from "./answers.ts";
import { readLines } from "./lines.ts";
import { connectionLost } from "./problems.ts";
import { assertOwnAnswer, openLine } from "./remote-line.ts";
import { portTaken } from "./remote-problems.ts";

export type TunnelTarget = { readonly app: string; readonly environment: string };

export type Tunnel = { readonly port: number; close(): void };

const HOST = "127.0.0.1";
const MAX_LINE_CHARACTERS = 64 * 1024;
const MAX_CONNECTIONS = 500;

/**
 * A port of this machine, for itself alone, that leads to an environment's database on a server elsewhere; each connection by one
 * of its own. `port` null: a free one. @throws `local_port_taken`
 */
export async function openTunnel(
  server: RemoteServer,
  target: TunnelTarget,
  options: { readonly port: number | null; readonly onProblem: (problem: Problem) => void },
): Promise<Tunnel> {
  const open = new Set<Socket>();
  // A client may say what it wants before the way is open.
  const listener = createServer({ pauseOnConnect: true, noDelay: true }, (client) => {
    open.add(client);
    client.once("close", () => open.delete(client)).on("error", () => client.destroy());
    void carry(server, target, client).catch((error: unknown) => {
      client.destroy();
      if (error instanceof Problem) options.onProblem(error);
    });
  });
  listener.maxConnections = MAX_CONNECTIONS;
  const port = await listen(listener, options.port ?? 0);
  return {
    port,
    close: () => {
      listener.close();
      for (const client of open) client.destroy();
    },
  };
}

/** @throws what stands in the way, before anything of the client's is read */
async function carry(server: RemoteServer, target: TunnelTarget, client: Socket): Promise<void> {
  const { socket, head } = await openThrough(server, target);
  const end = (): void => {
    client.destroy();
    socket.destroy();
  };
  for (const one of [client, socket]) one.once("close", end).once("error", end);
  if (client.destroyed) return end();
  if (head.length > 0) client.write(head);
  socket.pipe(client).pipe(socket);
}

async function openThrough(
  server: RemoteServer,
  { app, environment }: TunnelTarget,
): Promise<{ readonly socket: Socket; readonly head: Buffer }> {
  const { host, ...line } = await openLine(server);
  const { promise, resolve, reject } = Promise.withResolvers<{ socket: Socket; head: Buffer }>();
  const sent = request({
    ...line,
    path: `/databases/${app}/${environment}`,
    headers: {
      host,
      connection: "Upgrade",
      upgrade: DATABASE_TUNNEL,
      [TOKEN_HEADER]: server.token,
      [PROTOCOL_HEADER]: String(PROTOCOL_VERSION),
    },
  });
  sent.once("upgrade", (_, socket, head) => resolve({ socket, head }));
  sent.once("response", (response) => {
    findRefusal(response, server.url).then(reject, reject);
  });
  sent.once("error", () => reject(connectionLost()));
  sent.end();
  return promise;
}

async function findRefusal(response: IncomingMessage, url: string): Promise<Problem> {
  assertOwnAnswer(response, url);
  try {
    for await (const line of readLines(response, MAX_LINE_CHARACTERS)) {
      const message = await parseMessage(line);
      if ("problem" in message) return new Problem(message.problem);
    }
    return connectionLost();
  } finally {
    response.destroy();
  }
}

async function listen(listener: ReturnType<typeof createServer>, port: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  listener.once("error", reject).listen({ host: HOST, port }, resolve);
  try {
    await promise;
  } catch (error) {
    throw hasErrorCode(error, "EADDRINUSE", "EACCES") ? portTaken(port) : error;
  }
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("It listens on no port.");
  return address.port;
}
