import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";

import { monotonicMs, pause } from "../../base/clock.ts";
import { Traffic } from "../../base/traffic.ts";
import type { CancelKey, CancelKeys, IssuedKey, Session } from "./cancel-keys.ts";
import { formatFatal } from "./error-response.ts";
import type { FatalError } from "./error-response.ts";
import { GreetingRewriter } from "./server-messages.ts";
import { formatCancelPacket } from "./startup-packet.ts";

/** For the server to take a cancel request, and for a client to take a refusal. */
const LINGER_MS = 2_000;

/** Connects to a server's socket. @throws the system's error */
export async function connectTo(socket: string, signal: AbortSignal): Promise<Socket> {
  const upstream = connect({ path: socket, allowHalfOpen: true });
  try {
    await once(upstream, "connect", { signal });
  } catch (error) {
    upstream.destroy();
    throw error;
  }
  upstream.on("error", () => {
    // It is destroyed, and its client with it.
  });
  return upstream;
}

export type RelayOptions = {
  readonly socket: string;
  /** What goes to the server before anything else of the client's. */
  readonly first: Buffer;
  readonly cancelKeys: CancelKeys;
  /** As the client calls itself. */
  readonly user: string;
  /** The client did more than keep its connection. */
  readonly onUse: () => void;
};

/** Carries bytes both ways, each as fast as the other side takes them, until both have ended. */
export async function relay(
  client: Socket,
  upstream: Socket,
  options: RelayOptions,
): Promise<void> {
  const { socket, first, cancelKeys, user, onUse } = options;
  const traffic = new Traffic();
  const issued: IssuedKey[] = [];
  const cancelKey = (key: CancelKey): IssuedKey => {
    const mine = cancelKeys.issue({ ...key, socket });
    issued.push(mine);
    return mine;
  };
  const greeting = new GreetingRewriter({ cancelKey, user });
  try {
    upstream.once("close", (failed) => (failed ? client.destroy() : client.destroySoon()));
    client.once("close", () => upstream.destroy());
    upstream.write(first);
    client.on("data", (chunk: Buffer) => {
      if (traffic.isUse(chunk.length, monotonicMs())) onUse();
    });
    client.pipe(upstream);
    passGreeting(client, upstream, greeting);
    if (!client.closed) await once(client, "close");
  } finally {
    for (const key of issued) key.forget();
    upstream.destroy();
  }
}

/** Sends the error and ends the connection, giving the client a moment to read it. */
export async function refuse(client: Socket, error: FatalError): Promise<void> {
  if (client.destroyed) return;
  client.resume();
  client.end(formatFatal(error));
  await untilClosed(client);
}

/** A server answers a cancel request with nothing but the end of the connection. */
export async function cancel(session: Session, signal: AbortSignal): Promise<void> {
  const upstream = await connectTo(session.socket, signal);
  upstream.resume();
  upstream.end(formatCancelPacket(session));
  await untilClosed(upstream);
}

function passGreeting(client: Socket, upstream: Socket, greeting: GreetingRewriter): void {
  const pass = (chunk: Buffer): void => {
    const bytes = rewrite(greeting, chunk);
    if (bytes === undefined) upstream.destroy();
    else client.write(bytes);
    if (!greeting.isDone) return;
    upstream.off("data", pass);
    upstream.pipe(client);
  };
  upstream.on("data", pass);
  upstream.once("end", () => client.end());
}

/** undefined: what came is no PostgreSQL server's. */
function rewrite(greeting: GreetingRewriter, chunk: Buffer): Buffer | undefined {
  try {
    return greeting.push(chunk);
  } catch {
    // Nothing of it can be passed on; the client sees its connection end.
    return undefined;
  }
}

async function untilClosed(socket: Socket): Promise<void> {
  const closed = new AbortController();
  socket.once("close", () => closed.abort());
  await pause(LINGER_MS, closed.signal);
  socket.destroy();
}
