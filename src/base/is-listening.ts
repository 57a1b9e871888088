import { connect, type NetConnectOpts } from "node:net";

/** Whether anybody takes a connection there: on a port, or on a unix socket. */
export async function isListening(at: NetConnectOpts): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(at);
  socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
  const isTaken = await promise;
  socket.destroy();
  return isTaken;
}
