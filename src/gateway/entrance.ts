import { createServer as createHttpServer, type Server as HttpServer } from "node:http";
import { createServer as createHttp2Server, type Http2Server } from "node:http2";
import { createServer, type Server, type Socket } from "node:net";
import {
  createServer as createTlsServer,
  type SecureContext,
  type Server as TlsServer,
  type TLSSocket,
} from "node:tls";

import type { KeyPair } from "../base/certificates.ts";
import { messageOf } from "../base/problem.ts";
import type { Certificates } from "./certificates.ts";
import { asksForWebSocket } from "./inspect-request.ts";
import * as limits from "./limits.ts";
import type { Router } from "./router.ts";
import { Sessions } from "./sessions.ts";

/** With which TLS begins, and no HTTP. */
const HANDSHAKE = 0x16;

/** What comes in by one port: HTTP/1.1 as it is; within TLS that or HTTP/2, as the client prefers. */
export class Entrance {
  readonly #http: HttpServer;
  readonly #http2: Http2Server;
  readonly #certificates: Certificates | null;
  readonly #sessions = new Sessions();
  /** Those of which it is not known yet what they speak, and those within which TLS is spoken. */
  readonly #sockets = new Set<Socket>();
  #tls: TlsServer | undefined;

  /** @param certificates null: no TLS is spoken */
  constructor(router: Router, certificates: Certificates | null) {
    this.#certificates = certificates;
    this.#http = openHttp(router);
    this.#http2 = openHttp2(router);
    this.#http2.on("session", (session) => this.#sessions.keep(session));
  }

  createListener(): Server {
    const listener = createServer({ noDelay: true, allowHalfOpen: true });
    listener.maxConnections = limits.MAX_CLIENT_CONNECTIONS;
    return listener.on("connection", (socket) => {
      if (this.#certificates === null) this.#http.emit("connection", socket);
      else this.#sort(socket, this.#certificates);
    });
  }

  /** Ends what nobody waits for. */
  closeIdle(): void {
    this.#http.closeIdleConnections();
    this.#sessions.leave();
    for (const socket of this.#sockets) if (socket.bytesRead === 0) socket.destroy();
  }

  close(): void {
    this.#http.closeAllConnections();
    this.#http.close();
    this.#sessions.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  /** By its first byte. */
  #sort(socket: Socket, certificates: Certificates): void {
    const giveUp = (): void => void socket.destroy();
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    socket.on("error", giveUp);
    const limit = AbortSignal.timeout(limits.REQUEST_HEADER_TIMEOUT_MS);
    limit.addEventListener("abort", giveUp);
    socket.once("readable", () => {
      const first: unknown = socket.read(1);
      limit.removeEventListener("abort", giveUp);
      if (!(first instanceof Buffer)) {
        giveUp();
        return;
      }
      socket.unshift(first);
      if (first[0] === HANDSHAKE) void this.#encrypt(socket, certificates);
      else this.#enterPlain(socket);
    });
  }

  #enterPlain(socket: Socket): void {
    this.#sockets.delete(socket);
    this.#http.emit("connection", socket);
  }

  async #encrypt(socket: Socket, certificates: Certificates): Promise<void> {
    try {
      // Made for the first who asks.
      const own = await certificates.ownPair();
      this.#tls ??= this.#openTls(certificates, own);
      socket.allowHalfOpen = false;
      this.#tls.emit("connection", socket);
    } catch (error) {
      process.emitWarning(`No certificate could be made: ${messageOf(error)}`);
      socket.destroy();
    }
  }

  #openTls(certificates: Certificates, own: KeyPair): TlsServer {
    const tls = createTlsServer({
      key: own.key,
      cert: own.certificate,
      handshakeTimeout: limits.REQUEST_HEADER_TIMEOUT_MS,
      minVersion: "TLSv1.2",
      ALPNProtocols: ["h2", "http/1.1"],
      SNICallback: (name, done) => void tellContext(certificates, name, done),
    });
    tls.on("tlsClientError", (_error, socket) => socket.destroy());
    tls.on("secureConnection", (socket) => this.#enter(socket));
    return tls;
  }

  #enter(socket: TLSSocket): void {
    socket.on("error", () => void socket.destroy());
    const server = socket.alpnProtocol === "h2" ? this.#http2 : this.#http;
    server.emit("connection", socket);
  }
}

async function tellContext(
  certificates: Certificates,
  name: string,
  done: (error: Error | null, context?: SecureContext) => void,
): Promise<void> {
  try {
    done(null, await certificates.contextFor(name));
  } catch (error) {
    done(error instanceof Error ? error : new Error(String(error)));
  }
}

function openHttp(router: Router): HttpServer {
  const server = createHttpServer({
    maxHeaderSize: limits.MAX_HEADER_BYTES,
    headersTimeout: limits.REQUEST_HEADER_TIMEOUT_MS,
    // An upload may take as long as it takes.
    requestTimeout: 0,
    keepAliveTimeout: limits.CLIENT_IDLE_MS,
    // Ours to refuse: Node answers 400, and goes on with what follows on the connection.
    requireHostHeader: false,
    shouldUpgradeCallback: asksForWebSocket,
  });
  server.maxHeadersCount = 0;
  const serve = router.serve.bind(router);
  server.on("request", serve);
  // `100 Continue` is sent when the target is there to take the body.
  server.on("checkContinue", serve);
  server.on("upgrade", router.upgrade.bind(router));
  // It listens nowhere itself: connections are handed to it, and with this it looks after their limits.
  server.emit("listening");
  return server;
}

function openHttp2(router: Router): Http2Server {
  const server = createHttp2Server({
    maxSessionMemory: limits.MAX_HTTP2_MEGABYTES,
    settings: {
      maxConcurrentStreams: limits.MAX_HTTP2_STREAMS,
      maxHeaderListSize: limits.MAX_HEADER_BYTES,
      initialWindowSize: limits.HTTP2_WINDOW_BYTES,
    },
  });
  const serve = router.serve.bind(router);
  server.on("request", serve);
  server.on("checkContinue", serve);
  server.on("sessionError", () => undefined);
  return server;
}
