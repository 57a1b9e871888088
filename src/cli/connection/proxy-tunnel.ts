import { request } from "node:http";
import type { IncomingMessage } from "node:http";
import { connect as connectPlain, isIP } from "node:net";
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";

import { messageOf } from "../../base/problem.ts";
import type { Proxy } from "../terminal/context.ts";
import { proxyRefused, proxyUnreachable } from "./proxy-problems.ts";
import { serverUnreachable } from "./remote-problems.ts";

type Destination = { readonly host: string; readonly port: number; readonly url: string };

/** As long as a server itself is waited for. */
const CONNECT_MS = 10_000;

/**
 * A connection through a proxy, to whatever is at the other end: it has proved nothing yet.
 * @throws `proxy_unreachable`, `proxy_refused`, `server_unreachable`, or the signal's reason
 */
export async function openThroughProxy(
  proxy: Proxy,
  to: Destination,
  signal: AbortSignal | undefined,
): Promise<Socket> {
  try {
    const limit = AbortSignal.timeout(CONNECT_MS);
    const signals = signal === undefined ? [limit] : [limit, signal];
    const { response, socket, head } = await askToConnect(proxy, to, AbortSignal.any(signals));
    if (response.statusCode === 200) {
      if (head.length > 0) socket.unshift(head);
      return socket;
    }
    socket.destroy();
    throw explainRefusal(proxy, to, response.statusCode ?? 0);
  } catch (error) {
    signal?.throwIfAborted();
    throw explainProxy(proxy, error);
  }
}

type Connected = {
  readonly response: IncomingMessage;
  readonly socket: Socket;
  readonly head: Buffer;
};

async function askToConnect(
  proxy: Proxy,
  { host, port }: Destination,
  signal: AbortSignal,
): Promise<Connected> {
  const { promise, resolve, reject } = Promise.withResolvers<Connected>();
  const authority = `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
  const socket = openTo(proxy);
  const sent = request({
    createConnection: () => socket,
    method: "CONNECT",
    path: authority,
    headers: {
      host: authority,
      ...(proxy.authorization === null ? {} : { "proxy-authorization": proxy.authorization }),
    },
    signal,
  });
  sent.once("connect", (response, _, head) => resolve({ response, socket, head }));
  // What answers as if it had been asked for a page is no proxy.
  sent.once("response", (response) => {
    sent.destroy();
    reject(
      proxyUnreachable(proxy.origin, `it answers with ${response.statusCode}, as no proxy does`),
    );
  });
  sent.on("error", reject);
  sent.end();
  return promise;
}

/** One that is reached by TLS proves whose it is, before it is shown a password. */
function openTo({ origin }: Proxy): Socket {
  const { protocol, hostname, port } = new URL(origin);
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  if (protocol === "http:") return connectPlain({ host, port: port === "" ? 80 : Number(port) });
  const named = isIP(host) > 0 ? {} : { servername: host };
  return connectTls({ host, port: port === "" ? 443 : Number(port), ...named });
}

/** The proxy has tried, and nobody answered it. */
function explainRefusal({ origin }: Proxy, { host, url }: Destination, status: number): unknown {
  return status >= 502 && status <= 504
    ? serverUnreachable(url, `the proxy ${origin} answers with ${status}`)
    : proxyRefused(origin, { status, host });
}

function explainProxy({ origin }: Proxy, error: unknown): unknown {
  if (!(error instanceof Error) || !("code" in error)) return error;
  if (error.name === "AbortError")
    return proxyUnreachable(origin, `it has not answered within ${CONNECT_MS / 1000} seconds`);
  if (String(error.code).startsWith("HPE_"))
    return proxyUnreachable(origin, "its answer is no HTTP");
  if (!/^(E[A-Z_]+|ERR_TLS.*|.*CERT.*|UNABLE_.*)$/.test(String(error.code))) return error;
  return proxyUnreachable(origin, messageOf(error).split(";", 1).join("").replace(/\.$/, ""));
}
