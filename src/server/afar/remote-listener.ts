import { X509Certificate } from "node:crypto";
import { createServer as createPlainServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Server as TlsServer } from "node:https";
import { isIP } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";

import type { Access } from "../../access/access.ts";
import type { KeyPair } from "../../base/certificates.ts";
import { rest, systemClock } from "../../base/clock.ts";
import { messageOf } from "../../base/problem.ts";
import { TOKEN_HEADER } from "../../protocol/headers.ts";
import { readPair, stampOf } from "../addresses/pem-files.ts";
import type { PemFiles } from "../addresses/pem-files.ts";
import { ANSWER_HEADERS, answerCall } from "../answering/answer-call.ts";
import type { Answering } from "../answering/answer-call.ts";
import { closeServer } from "../answering/call-server.ts";
import type { TokenCaller } from "../session/caller.ts";
import { openTunnel, refuseTunnel } from "./database-tunnel.ts";
import { describeCertificate } from "./describe-certificate.ts";
import type { Listening } from "./listen-address.ts";
import { listenFailed, requestScreened } from "./problems.ts";
import { createScreen } from "./screen-request.ts";
import type { Refusal, Screen } from "./screen-request.ts";

export type RemoteListenerOptions = Pick<Answering, "session" | "log" | "note"> & {
  readonly listening: Listening;
  readonly access: Access;
  /** What is let in, in place of the screen that its names make: a test takes it away to see what it is good for. */
  readonly screen?: Screen;
  /** How often a caller is told that the server is there. */
  readonly beatMs?: number;
  /** How often it is looked whether a certificate was renewed. */
  readonly renewEveryMs?: number;
};

export type RemoteListener = {
  readonly port: number;
  /** Where it listens, and what clients know it by. */
  readonly description: string;
  close(): Promise<void>;
};

const BEAT_MS = 15_000;
const RENEW_EVERY_MS = 60_000;
const MAX_CONNECTIONS = 2_000;
/** Strangers are not waited for. */
const HANDSHAKE_MS = 10_000;
/** A command that goes on asks by the connections that it has; longer than it keeps them itself. */
const IDLE_MS = 60_000;
const LIMITS = {
  headersTimeout: 10_000,
  maxHeaderSize: 8_192,
  keepAlive: true,
  keepAliveTimeout: IDLE_MS,
};

/** Answers calls from afar: over TLS, or for a proxy that ends it. @throws `listen_failed`, `certificate_unreadable`, `certificate_unfit` */
export async function openRemoteListener(options: RemoteListenerOptions): Promise<RemoteListener> {
  const { cover } = options.listening;
  return cover.kind === "tls" ? openTls(options, cover) : openPlain(options, cover.url);
}

async function openPlain(options: RemoteListenerOptions, url: URL): Promise<RemoteListener> {
  const screen = options.screen ?? createScreen((name) => name === url.hostname);
  const server = createPlainServer(
    LIMITS,
    createAnswerer(options, () => screen),
  );
  server.on(
    "upgrade",
    createTunneller(options, () => screen),
  );
  const port = await listen(server, options.listening);
  const description = `Calls from afar: ${options.listening.host}:${port}, for the proxy of ${url.origin}.`;
  return { port, description, close: async () => closeServer(server) };
}

async function openTls(options: RemoteListenerOptions, files: PemFiles): Promise<RemoteListener> {
  const closing = new AbortController();
  let stamp = await stampOf(files);
  let shown = showPair(await readPair(files));
  const findScreen = (): Screen => options.screen ?? shown.screen;
  const server = createTlsServer(
    { ...LIMITS, ...shown.keys, minVersion: "TLSv1.2", handshakeTimeout: HANDSHAKE_MS },
    createAnswerer(options, findScreen),
  );
  server.on("upgrade", createTunneller(options, findScreen));
  const port = await listen(server, options.listening);
  const renewing = repeat(options.renewEveryMs ?? RENEW_EVERY_MS, closing.signal, async () => {
    const now = await stampOf(files);
    if (now === stamp) return;
    try {
      shown = showPair(await readPair(files));
      server.setSecureContext({ ...shown.keys, minVersion: "TLSv1.2" });
      stamp = now;
      options.log(`What is shown from now on: ${shown.description}.`);
    } catch (error) {
      // Half of it may be there by now; the one before goes on being shown.
      options.log(`The renewed certificate is not taken: ${messageOf(error)}`);
    }
  });
  return {
    port,
    description: `Calls from afar: ${options.listening.host}:${port}, ${shown.description}.`,
    close: async () => {
      closing.abort();
      await renewing;
      await closeServer(server);
    },
  };
}

type Shown = {
  readonly keys: { readonly key: string; readonly cert: string };
  readonly screen: Screen;
  readonly description: string;
};

/** A server's names are those that its certificate is for. */
function showPair({ key, certificate }: KeyPair): Shown {
  const parsed = new X509Certificate(certificate);
  const isOurName = (hostname: string): boolean => {
    const address = hostname.replace(/^\[(.*)\]$/, "$1");
    const found = isIP(address) > 0 ? parsed.checkIP(address) : parsed.checkHost(hostname);
    return found !== undefined;
  };
  return {
    keys: { key, cert: certificate },
    screen: createScreen(isOurName),
    description: describeCertificate(certificate, systemClock.now()),
  };
}

/** @throws `token_refused` */
function admitWith(
  { access, listening }: RemoteListenerOptions,
  request: IncomingMessage,
): TokenCaller {
  const grant = access.enter(String(request.headers[TOKEN_HEADER] ?? ""));
  const said = listening.cover.kind === "proxy" ? findForwarded(request) : undefined;
  return { kind: "token", grant, address: said ?? request.socket.remoteAddress ?? null };
}

/** What our own proxy has added: what stands before that, anyone may have said. */
function findForwarded({ headers }: IncomingMessage): string | undefined {
  const last =
    String(headers["x-forwarded-for"] ?? "")
      .split(",")
      .at(-1)
      ?.trim() ?? "";
  return isIP(last) > 0 ? last : undefined;
}

function createAnswerer(
  options: RemoteListenerOptions,
  findScreen: () => Screen,
): (request: IncomingMessage, response: ServerResponse) => void {
  const { session, log, note } = options;
  const admit = (request: IncomingMessage): TokenCaller => admitWith(options, request);
  const answering = { admit, session, log, note, beatMs: options.beatMs ?? BEAT_MS };
  return (request, response) => {
    const refusal = findScreen()(request, "call");
    if (refusal === undefined) void answerCall(answering, request, response);
    else refuse(response, refusal);
  };
}

/** It tells whoever sent it by mistake why; a page is not let read it. */
function refuse(response: ServerResponse, { status, reason }: Refusal): void {
  response.writeHead(status, { ...ANSWER_HEADERS, connection: "close" });
  response.end(`${JSON.stringify({ problem: requestScreened(reason).toFields() })}\n`);
}

/** What asks to become something else can become a database's connection alone. */
function createTunneller(
  options: RemoteListenerOptions,
  findScreen: () => Screen,
): (request: IncomingMessage, socket: Duplex, head: Buffer) => void {
  const { session, note, log } = options;
  const admit = (request: IncomingMessage): TokenCaller => admitWith(options, request);
  return (request, socket, head) => {
    // Whoever leaves at once is nobody's concern.
    socket.on("error", () => socket.destroy());
    const refusal = findScreen()(request, "tunnel");
    if (refusal !== undefined)
      refuseTunnel(socket, refusal.status, requestScreened(refusal.reason));
    else void openTunnel({ admit, session, note, log }, request, { socket, head });
  };
}

async function listen(server: Server | TlsServer, { host, port }: Listening): Promise<number> {
  server.maxConnections = MAX_CONNECTIONS;
  server.on("connection", (socket: Socket) => void socket.setKeepAlive(true, BEAT_MS));
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen({ host, port }, resolve);
  try {
    await promise;
  } catch (error) {
    throw listenFailed(`${host}:${port}`, messageOf(error));
  }
  return portOf(server.address());
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === "string") throw new Error("It listens on no port.");
  return address.port;
}

async function repeat(
  everyMs: number,
  over: AbortSignal,
  work: () => Promise<void>,
): Promise<void> {
  while (!over.aborted) {
    try {
      await rest(everyMs, over);
    } catch {
      // It is over.
      return;
    }
    await work();
  }
}
