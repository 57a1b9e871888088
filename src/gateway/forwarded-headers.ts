import { HOPS_HEADER } from "./inspect-request.ts";

/** Name, value, name, value. */
export type RawHeaders = readonly (string | Buffer)[];

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
  from: { readonly address: string; readonly host: string; readonly hops: number },
): string[] {
  const headers = dropHopByHop(raw, (name) => OURS.test(name));
  headers.push("X-Forwarded-For", from.address.replace(/^::ffff:/, ""));
  headers.push("X-Forwarded-Host", from.host, "X-Forwarded-Proto", "http");
  headers.push(HOPS_HEADER, String(from.hops + 1));
  return headers;
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
