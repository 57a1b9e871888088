import type { Http2ServerRequest } from "node:http2";

import { parseHostname } from "../base/hostname.ts";
import { HOPS_HEADER, type RawHeaders, toHttp1Headers } from "./forwarded-headers.ts";

/** What of an `IncomingMessage` decides whether it is let in. */
export type RequestHead = {
  readonly httpVersion: string;
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headersDistinct: Readonly<Record<string, readonly string[] | undefined>>;
  readonly rawHeaders: RawHeaders;
};

export type Inspected =
  | { readonly kind: "refused"; readonly reason: string }
  | {
      readonly kind: "accepted";
      readonly method: string;
      readonly path: string;
      readonly host: string;
      readonly hostname: string;
      /** As they are in HTTP/1.1. */
      readonly headers: RawHeaders;
      readonly hasBody: boolean;
      readonly hops: number;
    };

/**
 * Refuses what two parsers could read in two ways, and Node's own lets pass: what reaches a process
 * is always one request, for the host that it was routed by.
 */
export function inspectRequest(head: RequestHead): Inspected {
  const host = head.headersDistinct["host"]?.[0] ?? "";
  const hostname = parseHostname(host);
  const reason =
    reasonAgainst(head) ?? (hostname === undefined ? "the Host header names no host" : undefined);
  if (reason !== undefined || hostname === undefined)
    return { kind: "refused", reason: reason ?? "" };
  return {
    kind: "accepted",
    method: head.method ?? "GET",
    path: head.url ?? "/",
    host,
    hostname,
    headers: head.rawHeaders,
    hasBody: hasBody(head),
    hops: readHops(head.headersDistinct[HOPS_HEADER]),
  };
}

/** The same of HTTP/2, where a request's bounds are the protocol's own: only its host can be said in two ways. */
export function inspectStream(request: Http2ServerRequest): Inspected {
  const { headers, rawHeaders, stream } = request;
  const {
    ":authority": authority = headers.host ?? "",
    ":path": path = "",
    ":method": method = "",
  } = headers;
  const hostname = parseHostname(authority);
  if (hostname === undefined) return { kind: "refused", reason: "its authority names no host" };
  if (listValues(rawHeaders, "host").some((host) => host !== authority))
    return { kind: "refused", reason: "its Host header and its authority differ" };
  if (!path.startsWith("/")) return { kind: "refused", reason: "the target must be a path" };
  return {
    kind: "accepted",
    method,
    path,
    host: authority,
    hostname,
    headers: toHttp1Headers(rawHeaders, authority),
    hasBody: !stream.endAfterHeaders,
    hops: readHops(listValues(rawHeaders, HOPS_HEADER)),
  };
}

/** Whether the client asks for a WebSocket; other upgrades (`h2c`) are never made. */
export function asksForWebSocket(head: RequestHead): boolean {
  const upgrade = head.headersDistinct["upgrade"] ?? [];
  return upgrade.length === 1 && upgrade[0]?.toLowerCase() === "websocket";
}

export function reasonAgainstUpgrade(head: RequestHead): string | undefined {
  if (!asksForWebSocket(head)) return "only an upgrade to websocket is possible";
  if (head.method !== "GET" || head.httpVersion !== "1.1")
    return "an upgrade must be an HTTP/1.1 GET";
  return hasBody(head) ? "an upgrade cannot have a body" : undefined;
}

function reasonAgainst(head: RequestHead): string | undefined {
  if (head.httpVersion !== "1.1" && head.httpVersion !== "1.0") return "HTTP/1.1 is spoken here";
  if (!(head.url ?? "").startsWith("/")) return "the target must be a path";
  if (head.headersDistinct["host"]?.length !== 1) return "there must be one Host header";
  return reasonAgainstFraming(head);
}

function reasonAgainstFraming({ httpVersion, headersDistinct }: RequestHead): string | undefined {
  const lengths = headersDistinct["content-length"] ?? [];
  const codings = headersDistinct["transfer-encoding"] ?? [];
  if (lengths.length > 1) return "there must be one Content-Length";
  if (codings.length === 0) return undefined;
  if (httpVersion === "1.0") return "HTTP/1.0 has no Transfer-Encoding";
  if (lengths.length > 0) return "Content-Length and Transfer-Encoding exclude each other";
  return codings.join(",").toLowerCase() === "chunked"
    ? undefined
    : "the only Transfer-Encoding is chunked";
}

function hasBody({ headersDistinct }: RequestHead): boolean {
  if (headersDistinct["transfer-encoding"] !== undefined) return true;
  const [length] = headersDistinct["content-length"] ?? [];
  return length !== undefined && Number(length) !== 0;
}

function listValues(raw: RawHeaders, name: string): readonly string[] {
  return raw.flatMap((value, index) =>
    index % 2 === 1 && String(raw[index - 1]) === name ? [String(value)] : [],
  );
}

function readHops(values: readonly string[] = []): number {
  const hops = Number(values[0] ?? 0);
  return Number.isInteger(hops) && hops >= 0 ? hops : 0;
}
