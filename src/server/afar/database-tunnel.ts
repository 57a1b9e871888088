import type { IncomingMessage } from "node:http";
import { connect } from "node:net";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

import { refuseToken } from "../../access/access.ts";
import { systemClock } from "../../base/clock.ts";
import { messageOf, Problem } from "../../base/problem.ts";
import { noDatabase } from "../../environment/problems.ts";
import { DATABASE_TUNNEL, PROTOCOL_HEADER, PROTOCOL_VERSION } from "../../protocol/headers.ts";
import { protocolMismatch } from "../../protocol/problems.ts";
import { ANSWER_HEADERS } from "../answering/answer-call.ts";
import type { Answering } from "../answering/answer-call.ts";
import { describeWrite } from "../answering/audit.ts";
import { callUnknown, scopeTooSmall } from "../answering/problems.ts";
import { mayDo } from "../session/caller.ts";
import type { TokenCaller } from "../session/caller.ts";

export type Tunnelling = Pick<Answering, "session" | "note" | "log"> & {
  /** @throws `token_refused` */
  readonly admit: (request: IncomingMessage) => TokenCaller;
};

type Client = { readonly socket: Duplex; readonly head: Buffer };
type Target = { readonly app: string; readonly environment: string };

const NAME = "database.tunnel";
const TARGET = /^\/databases\/([a-z0-9-]{1,64})\/([a-z0-9-]{1,64})$/;

/**
 * Makes of a connection one to the gateway of this server's databases, which still asks for an environment's own password. It
 * ends with its token.
 */
export async function openTunnel(
  tunnelling: Tunnelling,
  request: IncomingMessage,
  client: Client,
): Promise<void> {
  try {
    const caller = tunnelling.admit(request);
    const target = requireTarget(request);
    const database = await reachNoted(tunnelling, caller, target);
    join(client, database, caller.grant.over);
  } catch (error) {
    if (error instanceof Problem) return refuseTunnel(client.socket, 403, error);
    tunnelling.log(messageOf(error));
    client.socket.destroy();
  }
}

/** The same words as a call's end. */
export function refuseTunnel(socket: Duplex, status: number, problem: Problem): void {
  const body = `${JSON.stringify({ problem: problem.toFields() })}\n`;
  const headers = {
    ...ANSWER_HEADERS,
    "content-length": String(Buffer.byteLength(body)),
    connection: "close",
  };
  socket.end(`HTTP/1.1 ${status} Refused\r\n${formatHeaders(headers)}\r\n${body}`);
}

async function reachNoted(
  tunnelling: Tunnelling,
  caller: TokenCaller,
  target: Target,
): Promise<Socket> {
  const end = async (outcome: string): Promise<void> => {
    const call = { name: NAME, input: target, outcome } as const;
    await tunnelling.note?.(describeWrite(call, { caller, clock: systemClock }));
  };
  try {
    const database = await reach(tunnelling, caller, target);
    await end("done");
    return database;
  } catch (error) {
    await end(error instanceof Problem ? error.code : "bug");
    throw error;
  }
}

/** @throws `scope_too_small`, `app_unknown`, `environment_unknown`, `database_none` */
async function reach(
  { session }: Tunnelling,
  caller: TokenCaller,
  { app, environment }: Target,
): Promise<Socket> {
  const need = { right: "write", app } as const;
  if (!mayDo(caller, need)) throw scopeTooSmall(NAME, need);
  const { engine, status } = await session(NAME);
  const live = engine.registry.require(app, environment);
  const { databaseSocket } = status();
  if (live.record.database === null || databaseSocket === null) throw noDatabase(environment);
  return open(databaseSocket);
}

/** @throws `protocol_mismatch`, `call_unknown` */
function requireTarget({ url = "", method, headers }: IncomingMessage): Target {
  const version = String(headers[PROTOCOL_HEADER] ?? "");
  if (version !== String(PROTOCOL_VERSION)) throw protocolMismatch(PROTOCOL_VERSION, version);
  const [, app = "", environment = ""] = TARGET.exec(url) ?? [];
  if (app === "" || headers.upgrade !== DATABASE_TUNNEL || method !== "GET") throw callUnknown(url);
  return { app, environment };
}

async function open(path: string): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({ path });
  socket.once("connect", resolve).once("error", reject);
  await promise;
  return socket.off("error", reject);
}

function join({ socket, head }: Client, database: Socket, over: AbortSignal): void {
  const end = (): void => {
    socket.destroy();
    database.destroy();
    over.removeEventListener("abort", end);
  };
  over.addEventListener("abort", end, { once: true });
  for (const one of [socket, database]) one.once("close", end).once("error", end);
  if (over.aborted) return refuseTunnel(socket, 403, refuseToken());
  const headers = {
    connection: "Upgrade",
    upgrade: DATABASE_TUNNEL,
    [PROTOCOL_HEADER]: String(PROTOCOL_VERSION),
  };
  socket.write(`HTTP/1.1 101 Switching Protocols\r\n${formatHeaders(headers)}\r\n`);
  if (head.length > 0) database.write(head);
  socket.pipe(database).pipe(socket);
}

function formatHeaders(headers: Readonly<Record<string, string>>): string {
  return Object.entries(headers)
    .map(([name, text]) => `${name}: ${text}\r\n`)
    .join("");
}
