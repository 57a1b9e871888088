import type { ServerStatus } from "../../protocol/schemas.ts";
import { waitUntilGone } from "../connection/server-process.ts";
import type { Session } from "./session.ts";

/** Has a server of this machine leave, while its environments go on, and waits for that. @throws `server_stuck` */
export async function sendAway(session: Session, server: ServerStatus): Promise<void> {
  const { home, signal } = session.context;
  await session.call("server.leave", {});
  await waitUntilGone(home, server, signal);
}
