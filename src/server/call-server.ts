import { createHash, timingSafeEqual } from "node:crypto";
import { chmod, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";

import { messageOf, Problem } from "../base/problem.ts";
import { PROTOCOL_HEADER, PROTOCOL_VERSION, TOKEN_HEADER } from "../protocol/headers.ts";
import type { Message } from "../protocol/messages.ts";
import { findCall } from "./call-table.ts";
import type { Call } from "./call.ts";
import { callUnknown, inputInvalid, protocolMismatch, tokenWrong } from "./problems.ts";
import type { Session } from "./session.ts";

export type CallServerOptions = {
  readonly socket: string;
  readonly token: string;
  /** Resolves once the server can answer this call. */
  readonly session: (name: string) => Promise<Omit<Session, "report" | "line" | "signal">>;
  readonly log: (text: string) => void;
};

const MAX_BODY_BYTES = 4_000_000;
/** Calls that ended are given this long to reach their callers when the server leaves. */
const CLOSE_LIMIT_MS = 500;

/** Answers `POST /calls/<name>` on a unix socket that only this user can open, with lines of JSON. */
export async function openCallServer(
  options: CallServerOptions,
): Promise<{ close(): Promise<void> }> {
  const server = createServer((request, response) => void answer(options, request, response));
  await rm(options.socket, { force: true });
  await listen(server, options.socket);
  await chmod(options.socket, 0o600);
  return { close: async () => close(server) };
}

async function answer(
  options: CallServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => gone.abort(new Error("The caller has gone.")));
  response.writeHead(200, {
    "content-type": "application/x-ndjson",
    [PROTOCOL_HEADER]: String(PROTOCOL_VERSION),
  });
  // The head goes out at once: a caller that waits for events knows that it is heard.
  response.flushHeaders();
  const send = (message: Message): void => {
    if (!response.writableEnded && !response.destroyed)
      response.write(`${JSON.stringify(message)}\n`);
  };
  send(await findEnd(options, request, { send, signal: gone.signal }));
  response.end();
}

type Caller = { readonly send: (message: Message) => void; readonly signal: AbortSignal };

/** The one message that ends an answer. */
async function findEnd(
  options: CallServerOptions,
  request: IncomingMessage,
  caller: Caller,
): Promise<Message> {
  try {
    const { call, name } = requireCall(options, request);
    const input = await readInput(request);
    const session: Session = {
      ...(await options.session(name)),
      report: (progress) => caller.send({ progress }),
      line: (line) => caller.send({ line }),
      signal: caller.signal,
    };
    return { result: await call.run(input, session) };
  } catch (error) {
    if (error instanceof Problem) return { problem: error.toFields() };
    if (!caller.signal.aborted)
      options.log(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return { bug: messageOf(error) };
  }
}

/** @throws `token_wrong`, `protocol_mismatch`, `call_unknown` */
function requireCall(
  options: CallServerOptions,
  request: IncomingMessage,
): { readonly call: Call; readonly name: string } {
  if (!isSame(String(request.headers[TOKEN_HEADER] ?? ""), options.token)) throw tokenWrong();
  const version = String(request.headers[PROTOCOL_HEADER] ?? "");
  if (version !== String(PROTOCOL_VERSION)) throw protocolMismatch(version, PROTOCOL_VERSION);
  const name = /^\/calls\/([a-z.]+)$/.exec(request.url ?? "")?.[1] ?? "";
  const call = request.method === "POST" ? findCall(name) : undefined;
  if (call === undefined) throw callUnknown(name);
  return { call, name };
}

async function readInput(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const buffer = Buffer.from(chunk);
    bytes += buffer.length;
    if (bytes > MAX_BODY_BYTES) throw inputInvalid(`it is larger than ${MAX_BODY_BYTES} bytes`);
    chunks.push(buffer);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8") || "{}");
  } catch (error) {
    throw inputInvalid(messageOf(error));
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

async function close(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeIdleConnections();
  const limit = AbortSignal.timeout(CLOSE_LIMIT_MS);
  limit.addEventListener("abort", () => server.closeAllConnections(), { once: true });
  await promise;
}
