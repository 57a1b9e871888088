import { once } from "node:events";
import { connect } from "node:net";
import path from "node:path";

import { waitFor } from "../base/clock.ts";
import { hasErrorCode } from "../base/problem.ts";
import { databaseFailed } from "./problems.ts";
import { SOCKET_PORT } from "./settings.ts";
import { PROTOCOL_3_0, formatStartupPacket } from "./wire/startup-packet.ts";

const AUTHENTICATION = "R".charCodeAt(0);
const ANSWER_LIMIT_MS = 5_000;
const ACCEPT_LIMIT_MS = 10_000;

/** The socket of a server that listens in this folder. */
export function socketIn(folder: string): string {
  return path.join(folder, `.s.PGSQL.${SOCKET_PORT}`);
}

/** Waits until the server asks this role for its password. @throws `database_failed` */
export async function untilItGreets(socketFolder: string, role: string): Promise<void> {
  const greeted = await waitFor(
    async () => ((await greets(socketFolder, role)) ? true : undefined),
    {
      timeoutMs: ACCEPT_LIMIT_MS,
      everyMs: 3,
    },
  );
  if (greeted === undefined) throw databaseFailed("accept connections", []);
}

/** Whether the server asks the role for its password now; it may be starting, refuse the role, or not be there. */
async function greets(socketFolder: string, role: string): Promise<boolean> {
  const socket = connect(socketIn(socketFolder));
  try {
    const signal = AbortSignal.timeout(ANSWER_LIMIT_MS);
    socket.write(
      formatStartupPacket(PROTOCOL_3_0, [
        ["user", role],
        ["database", "postgres"],
      ]),
    );
    const answer: unknown[] = await once(socket, "data", { signal });
    return Buffer.isBuffer(answer[0]) && answer[0][0] === AUTHENTICATION;
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ECONNREFUSED", "ECONNRESET", "EPIPE", "EAGAIN", "ABORT_ERR"))
      return false;
    throw error;
  } finally {
    socket.destroy();
  }
}
