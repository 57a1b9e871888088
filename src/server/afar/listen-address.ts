import { isIP } from "node:net";

import { listenInvalid, listenPlain } from "./problems.ts";

/** What people say with `--listen`, and how they keep strangers from reading along. */
export type Listening = {
  readonly host: string;
  readonly port: number;
  readonly cover:
    | { readonly kind: "tls"; readonly certificate: string; readonly key: string }
    /** A proxy ends TLS; clients know the server by this URL. */
    | { readonly kind: "proxy"; readonly url: URL };
};

/** The same as arguments of `ramet serve`, so that a server that is started again listens as before. */
export function formatListenArguments({
  address,
  cover,
  trustsNetwork,
}: ListenRequest): readonly string[] {
  const trusted = trustsNetwork ? ["--trust-network"] : [];
  return ["--listen", address, ...formatCover(cover), ...trusted];
}

function formatCover(cover: ListenRequest["cover"]): readonly string[] {
  if (cover === null) return [];
  return cover.kind === "tls"
    ? ["--tls-cert", cover.certificate, "--tls-key", cover.key]
    : ["--behind-proxy", cover.url.origin];
}

const DEFAULT_LISTEN_PORT = 7443;

/** `0.0.0.0:7443`, `127.0.0.1`, `[::]:7443`, `::1`; undefined: it is none. */
export function findListenAddress(
  text: string,
): { readonly host: string; readonly port: number } | undefined {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = isIP(text) === 6 ? text : (bracketed ?? plain ?? "");
  const number = port === undefined ? DEFAULT_LISTEN_PORT : Number(port);
  const isBracketsRight = bracketed === undefined || isIP(bracketed) === 6;
  return isIP(host) > 0 && isBracketsRight && number <= 65_535 ? { host, port: number } : undefined;
}

/** What a person says of it; `cover` null: nothing. */
export type ListenRequest = {
  readonly address: string;
  readonly cover: Listening["cover"] | null;
  /** Whether it may listen beyond this machine without TLS. */
  readonly trustsNetwork: boolean;
};

/**
 * Without TLS nothing listens but on this machine's own address, unless it is said that the network may be trusted.
 * @throws `listen_invalid`, `listen_plain`
 */
export function requireListening({ address, cover, trustsNetwork }: ListenRequest): Listening {
  const found = findListenAddress(address);
  if (found === undefined) throw listenInvalid(address);
  const isPlainAfar = cover?.kind === "proxy" && !isLoopback(found.host) && !trustsNetwork;
  if (cover === null || isPlainAfar) throw listenPlain(address);
  return { ...found, cover };
}

function isLoopback(host: string): boolean {
  return host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}
