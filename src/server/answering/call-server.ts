import { createHash, timingSafeEqual } from "node:crypto";
import { chmod, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { Server } from "node:http";

import type { AuditEntry } from "../../access/access.ts";
import { monotonicMs, pause } from "../../base/clock.ts";
import { TOKEN_HEADER } from "../../protocol/headers.ts";
import { OWNER } from "../session/caller.ts";
import { answerCall } from "./answer-call.ts";
import type { ServerPart } from "./answer-call.ts";
import { tokenWrong } from "./problems.ts";

export type CallServerOptions = {
  readonly socket: string;
  readonly token: string;
  /** Resolves once the server can answer this call. */
  readonly session: (name: string) => Promise<ServerPart>;
  readonly log: (text: string) => void;
  readonly note?: (entry: AuditEntry) => Promise<void>;
};

/** Calls that ended are given this long to reach their callers when the server leaves. */
const CLOSE_LIMIT_MS = 500;
/** For those that are cut then. */
const CUT_LIMIT_MS = 500;
const CLOSE_EVERY_MS = 10;

/** Answers calls on a unix socket that only this user can open: whoever does is the server's owner. */
export async function openCallServer(
  options: CallServerOptions,
): Promise<{ close(): Promise<void> }> {
  const { socket, token, session, log, note = null } = options;
  const admit = (request: { headers: NodeJS.Dict<string | string[]> }): typeof OWNER => {
    if (!isSame(String(request.headers[TOKEN_HEADER] ?? ""), token)) throw tokenWrong();
    return OWNER;
  };
  const answering = { admit, session, log, note, beatMs: null };
  const server = createServer((request, response) => void answerCall(answering, request, response));
  await rm(socket, { force: true });
  await listen(server, socket);
  await chmod(socket, 0o600);
  return { close: async () => closeServer(server) };
}

/**
 * What is in flight may end, within a limit; a connection that its client keeps for later is not waited for, nor one that has
 * become something else: that ends with what it leads to.
 */
export async function closeServer(server: Server): Promise<void> {
  const closed = new AbortController();
  server.close(() => closed.abort());
  const limit = monotonicMs() + CLOSE_LIMIT_MS;
  while (!closed.signal.aborted && monotonicMs() < limit + CUT_LIMIT_MS) {
    if (monotonicMs() < limit) server.closeIdleConnections();
    else server.closeAllConnections();
    await pause(CLOSE_EVERY_MS, closed.signal);
  }
}

function isSame(given: string, token: string): boolean {
  return timingSafeEqual(hash(given), hash(token));
}

function hash(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

async function listen(server: Server, socket: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(socket, resolve);
  await promise;
}
