import type { Client } from "./respond.ts";

/** Name, value, name, value. */
export type RawHeaders = readonly (string | Buffer)[];

/** How many gateways of ours a request has passed. */
export const HOPS_HEADER = "x-ramet-hops";

/** Of one connection, not of the message (RFC 9110, 7.6.1); and `Expect`, which the gateway itself answers. */
const HOP_BY_HOP = new Set(
  (
    "connection keep-alive proxy-connection proxy-authenticate proxy-authorization " +
    "te trailer transfer-encoding upgrade http2-settings expect"
  ).split(" "),
);

/** A client must not name these by `Connection`, and so take them out. */
const NEVER_DROPPED = new Set(["host", "content-length"]);

/** What a gateway says of the client, and what is ours. CGI and its heirs read `_` as `-`. */
const OURS = /^(?:x[-_]forwarded[-_].*|x[-_]ramet[-_].*|x[-_]real[-_]ip|forwarded)$/;

/** The headers of a request as its target sees them. */
export function forwardRequestHeaders(
  raw: RawHeaders,
  from: Client & { readonly host: string; readonly hops: number },
): string[] {
  const headers = dropHopByHop(raw, (name) => OURS.test(name));
  headers.push("X-Forwarded-For", from.address.replace(/^::ffff:/, ""));
  headers.push("X-Forwarded-Host", from.host);
  headers.push("X-Forwarded-Proto", from.isEncrypted ? "https" : "http");
  headers.push(HOPS_HEADER, String(from.hops + 1));
  return headers;
}

/** The headers of an HTTP/2 request as they are in HTTP/1.1: its host is one of them, and its cookie crumbs are one cookie. */
export function toHttp1Headers(raw: RawHeaders, host: string): readonly string[] {
  const headers = ["Host", host];
  const cookies: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = textOf(raw[i]);
    const value = textOf(raw[i + 1]);
    if (name === "cookie") cookies.push(value);
    else if (!name.startsWith(":") && name !== "host") headers.push(name, value);
  }
  return cookies.length === 0 ? headers : [...headers, "Cookie", cookies.join("; ")];
}

/** The headers of an answer as the client sees them. */
export function forwardResponseHeaders(raw: RawHeaders): string[] {
  return dropHopByHop(raw, () => false);
}

function dropHopByHop(raw: RawHeaders, isUnwanted: (name: string) => boolean): string[] {
  const named = findNamedByConnection(raw);
  const kept: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = textOf(raw[i]);
    const key = name.toLowerCase();
    if (HOP_BY_HOP.has(key) || named?.has(key) || isUnwanted(key)) continue;
    kept.push(name, textOf(raw[i + 1]));
  }
  return kept;
}

function findNamedByConnection(raw: RawHeaders): Set<string> | undefined {
  let named: Set<string> | undefined;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    if (textOf(raw[i]).toLowerCase() !== "connection") continue;
    named ??= new Set();
    for (const option of textOf(raw[i + 1])
      .toLowerCase()
      .split(",")) {
      if (!NEVER_DROPPED.has(option.trim())) named.add(option.trim());
    }
  }
  return named;
}

/** Header bytes are Latin-1 on both sides, so they pass unchanged. */
function textOf(value: string | Buffer | undefined): string {
  return typeof value === "string" ? value : (value?.toString("latin1") ?? "");
}
