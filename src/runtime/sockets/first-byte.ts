import type { Socket } from "node:net";

/** Said before anything else by whoever passes a connection on: it stands. Until then the other side may go elsewhere. */
export const CONNECTED = Buffer.of(1);

/** Whether that is what is heard first; false when the connection ends before. */
export async function isPassedOn(socket: Socket): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const read = (): void => {
    const first: unknown = socket.read(1);
    if (first instanceof Buffer) resolve(first.equals(CONNECTED));
  };
  const refuse = (): void => resolve(false);
  socket.on("readable", read).once("close", refuse).once("end", refuse);
  const isThere = await promise;
  socket.off("readable", read).off("close", refuse).off("end", refuse);
  return isThere;
}
