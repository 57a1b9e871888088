import { once } from "node:events";
import { type Socket, connect } from "node:net";

/** Frameworks listen on one of the two, as their `localhost` happens to resolve. */
const HOSTS = ["127.0.0.1", "::1"] as const;

/** A connection to a port of loopback, which is not read before somebody does; undefined when nobody listens there. */
export async function dialPort(port: number): Promise<Socket | undefined> {
  for (const host of HOSTS) {
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true }).pause();
    try {
      await once(socket, "connect");
      return socket;
    } catch {
      // Nobody listens on this one.
      socket.destroy();
    }
  }
  return undefined;
}
