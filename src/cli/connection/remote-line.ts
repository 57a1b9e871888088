import { X509Certificate } from "node:crypto";
import type { IncomingMessage, RequestOptions } from "node:http";
import { connect as connectPlain, isIP } from "node:net";
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ConnectionOptions, TLSSocket } from "node:tls";

import { messageOf, Problem } from "../../base/problem.ts";
import { PROTOCOL_HEADER } from "../../protocol/headers.ts";
import type { RemoteServer, Trust } from "../terminal/context.ts";
import { keptLinesOf } from "./kept-lines.ts";
import { connectionLost } from "./problems.ts";
import { openThroughProxy } from "./proxy-tunnel.ts";
import {
  serverElsewhere,
  serverOther,
  serverUnreachable,
  serverUntrusted,
} from "./remote-problems.ts";

/** An address that swallows what is sent to it is given up after so long. */
const CONNECT_MS = 10_000;
/** A laptop that slept, or a network that went, shows within this and a few tries more. */
const KEEP_ALIVE_MS = 15_000;

export type Line = Pick<RequestOptions, "createConnection" | "agent"> & { readonly host: string };

/** What a request to this server goes by: a connection of its own that has proved whose it is before anything is sent. */
export async function openLine(server: RemoteServer, signal?: AbortSignal): Promise<Line> {
  const socket = await openSocket(server, signal);
  return { createConnection: () => socket, host: new URL(server.url).host };
}

/** The same by one that an earlier request of this command has left, where there is any; the request is to be made at once. */
export async function takeLine(server: RemoteServer, signal?: AbortSignal): Promise<Line> {
  const agent = await keptLinesOf(server).agent(async () => openSocket(server, signal));
  return { agent, host: new URL(server.url).host };
}

type Way = Pick<RemoteServer, "url" | "proxy">;

/** @throws `server_unreachable`, `server_untrusted`, `proxy_unreachable`, `proxy_refused`, or the signal's reason */
export async function openSocket(
  { url, trust, proxy }: Way & { readonly trust: Trust },
  signal?: AbortSignal,
): Promise<Socket> {
  const isPlain = new URL(url).protocol === "http:";
  const socket = isPlain
    ? connectPlain(addressOf(url))
    : connectTls({ ...(await findWay({ url, proxy }, signal)), ...verifying(trust) });
  await untilOpen(socket, { url, ready: isPlain ? "connect" : "secureConnect", signal });
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  return socket;
}

/** The certificate that a server shows, believed by nobody: nothing else is sent or read. */
export async function readShownCertificate(way: Way): Promise<X509Certificate> {
  const { url } = way;
  const socket = connectTls({ ...(await findWay(way)), rejectUnauthorized: false });
  try {
    await untilOpen(socket, { url, ready: "secureConnect", signal: undefined });
    return shownBy(socket, url);
  } finally {
    socket.destroy();
  }
}

/** What the failure of a call to this server means. */
export function explainAfar(error: unknown, url: string): unknown {
  if (!(error instanceof Error) || error instanceof Problem || error.name === "AbortError")
    return error;
  const code = "code" in error ? String(error.code) : "";
  if (/^(ECONNRESET|EPIPE|ETIMEDOUT|ERR_STREAM_PREMATURE_CLOSE)$/.test(code))
    return connectionLost();
  return /^(HPE_|E[A-Z]+$)/.test(code) ? serverUnreachable(url, messageOf(error)) : error;
}

/** Redirects are not followed. @throws `server_elsewhere`, `server_other` */
export function assertOwnAnswer(response: IncomingMessage, url: string): void {
  const { statusCode = 0, headers } = response;
  if (statusCode >= 300 && statusCode < 400) throw serverElsewhere(url, statusCode);
  if (headers[PROTOCOL_HEADER] === undefined) throw serverOther(url, statusCode);
}

async function findWay({ url, proxy }: Way, signal?: AbortSignal): Promise<ConnectionOptions> {
  const address = addressOf(url);
  const socket =
    proxy === undefined ? undefined : await openThroughProxy(proxy, { ...address, url }, signal);
  return { ...address, ...namesOf(address.host), ...(socket === undefined ? {} : { socket }) };
}

function addressOf(url: string): { readonly host: string; readonly port: number } {
  const { hostname, port, protocol } = new URL(url);
  const usual = protocol === "http:" ? 80 : 443;
  return {
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: port === "" ? usual : Number(port),
  };
}

/** An address is no name that a server could be asked for by. */
function namesOf(host: string): ConnectionOptions {
  const common = { ALPNProtocols: ["http/1.1"], minVersion: "TLSv1.2" } as const;
  return isIP(host) > 0 ? common : { ...common, servername: host };
}

/** A certificate that was pinned is its own authority, and is compared besides: nothing is ever let pass unproved. */
function verifying({ authority, pinned }: Trust): ConnectionOptions {
  if (pinned !== null) {
    const { fingerprint256: expected } = new X509Certificate(pinned);
    return {
      ca: [pinned],
      allowPartialTrustChain: true,
      checkServerIdentity: (_, { fingerprint256 }) =>
        fingerprint256 === expected ? undefined : new Error("it shows another certificate"),
    };
  }
  return authority === null ? {} : { ca: [authority], allowPartialTrustChain: true };
}

async function untilOpen(
  socket: Socket,
  about: { readonly url: string; readonly ready: string; readonly signal: AbortSignal | undefined },
): Promise<void> {
  const { url, ready, signal } = about;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const limit = AbortSignal.timeout(CONNECT_MS);
  const stop = (): void => reject(signal?.reason);
  const giveUp = (): void =>
    reject(serverUnreachable(url, `it has not answered within ${CONNECT_MS / 1000} seconds`));
  const fail = (error: Error): void => reject(explainConnecting(error, url));
  const end = (): void => reject(serverUnreachable(url, "it closed the connection at once"));
  signal?.addEventListener("abort", stop, { once: true });
  limit.addEventListener("abort", giveUp, { once: true });
  socket.once(ready, resolve).once("error", fail).once("close", end);
  try {
    signal?.throwIfAborted();
    await promise;
    socket.off("error", fail).off("close", end);
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    signal?.removeEventListener("abort", stop);
    limit.removeEventListener("abort", giveUp);
  }
}

function explainConnecting(error: Error, url: string): Problem {
  const code = "code" in error ? String(error.code) : "";
  const isNetwork = /^E(?!RR_TLS|RR_SSL)[A-Z_]+$/.test(code) && !code.startsWith("ERR_");
  // Node goes on to say how its own command line could be changed.
  const why = messageOf(error).split(";", 1).join("").replace(/\.$/, "");
  if (isNetwork) return serverUnreachable(url, why);
  // What OpenSSL says of it is for those who know its source.
  if (/^(EPROTO|ERR_SSL)/.test(code))
    return serverUntrusted(url, "it speaks no TLS that fits", "EPROTO");
  return serverUntrusted(url, why, code);
}

function shownBy(socket: TLSSocket, url: string): X509Certificate {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) throw serverUntrusted(url, "it shows no certificate");
  return certificate;
}
