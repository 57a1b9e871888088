import { expect, test } from "vitest";

import { findListenAddress, formatListenArguments, requireListening } from "./listen-address.ts";
import type { ListenRequest } from "./listen-address.ts";

const TLS = { kind: "tls", certificate: "/c.pem", key: "/k.pem" } as const;
const PROXY = { kind: "proxy", url: new URL("https://ramet.example.com") } as const;

function codeOf(request: ListenRequest): string {
  try {
    requireListening(request);
    return "done";
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}

test.each([
  ["0.0.0.0:7443", "0.0.0.0", 7443],
  ["127.0.0.1", "127.0.0.1", 7443],
  ["[::]:8443", "::", 8443],
  ["[::1]", "::1", 7443],
  ["::1", "::1", 7443],
  ["10.0.0.5:0", "10.0.0.5", 0],
])("%s is an address to listen on", (text, host, port) => {
  expect(findListenAddress(text)).toEqual({ host, port });
});

test.each([
  "",
  ":7443",
  "7443",
  "localhost:7443",
  "example.com",
  "1.2.3.4:99999",
  "1.2.3.4:x",
  "[1.2.3.4]:1",
  "[::1",
])("%j is none", (text) => {
  expect(findListenAddress(text)).toBeUndefined();
});

test.each([
  ["TLS anywhere", "0.0.0.0:7443", { cover: TLS }, "done"],
  ["nothing, on loopback", "127.0.0.1:7443", { cover: null }, "listen_plain"],
  ["nothing, beyond it", "0.0.0.0:7443", { cover: null, trustsNetwork: true }, "listen_plain"],
  ["a proxy, on loopback", "127.0.0.1:7443", { cover: PROXY }, "done"],
  ["a proxy, on IPv6's loopback", "[::1]:7443", { cover: PROXY }, "done"],
  ["a proxy, beyond it", "0.0.0.0:7443", { cover: PROXY }, "listen_plain"],
  ["a proxy, on all of IPv6", "[::]:7443", { cover: PROXY }, "listen_plain"],
  ["a proxy, on a network to trust", "10.0.0.5", { cover: PROXY, trustsNetwork: true }, "done"],
  ["TLS on no address", "nowhere", { cover: TLS }, "listen_invalid"],
] as const)("covered by %s: %s %j is %s", (...[, address, said, code]) => {
  expect(codeOf({ address, trustsNetwork: false, ...said })).toBe(code);
});

test("what it was told is told again when it is started anew", () => {
  expect(formatListenArguments({ address: "0.0.0.0", cover: TLS, trustsNetwork: false })).toEqual([
    "--listen",
    "0.0.0.0",
    "--tls-cert",
    "/c.pem",
    "--tls-key",
    "/k.pem",
  ]);
  expect(formatListenArguments({ address: "10.0.0.5", cover: PROXY, trustsNetwork: true })).toEqual(
    ["--listen", "10.0.0.5", "--behind-proxy", "https://ramet.example.com", "--trust-network"],
  );
});
