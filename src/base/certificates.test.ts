import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer } from "node:tls";

import { beforeAll, expect, test } from "vitest";

import {
  createLocalAuthority,
  createServerCertificate,
  formatKeyPair,
  type KeyPair,
  parseKeyPair,
  readExpiry,
} from "./certificates.ts";

const NOW = Date.now();
const VALIDITY = { from: new Date(NOW - 60_000), until: new Date(NOW + 3_600_000) };

let authority: KeyPair;
beforeAll(async () => {
  authority = await createLocalAuthority("Ramet in a test", VALIDITY);
});

/** Whether a client who trusts `ca` takes this certificate for that host; the reason where it does not. */
async function tryOut(pair: KeyPair, host: string, ca: string): Promise<string> {
  const server = createServer({ key: pair.key, cert: pair.certificate });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address: AddressInfo | string | null = server.address();
  const port = address === null || typeof address === "string" ? 0 : address.port;
  const names = /^[\d.:]+$/.test(host) ? { host } : { servername: host };
  const client = connect({ host: "127.0.0.1", port, ca, ...names });
  const outcome = await new Promise<string>((resolve) => {
    client.once("secureConnect", () => resolve("trusted"));
    client.once("error", (error) => resolve(error.message));
  });
  client.destroy();
  await new Promise((resolve) => server.close(resolve));
  return outcome;
}

test.each([["localhost"], ["shop--x.localhost"], ["api.shop--x.localhost"], ["127.0.0.1"]])(
  "the authority's certificate for %s is trusted there",
  async (host) => {
    const hosts = ["localhost", host] as const;
    const pair = await createServerCertificate(hosts, { validity: VALIDITY, authority });
    expect(await tryOut(pair, host, authority.certificate)).toBe("trusted");
  },
);

test.each([["example.com"], ["localhost.example.com"], ["evillocalhost"], ["xlocalhost.com"]])(
  "whoever has the authority's key cannot pretend to be %s: its own certificate forbids it",
  async (host) => {
    const pair = await createServerCertificate([host], { validity: VALIDITY, authority });
    expect(new X509Certificate(pair.certificate).checkHost(host)).toBe(host);
    expect(await tryOut(pair, host, authority.certificate)).toContain("permitted subtree");
    // It is the constraint that forbids it: of itself the certificate would do.
    const own = await createServerCertificate([host], { validity: VALIDITY, authority: null });
    expect(await tryOut(own, host, own.certificate)).toBe("trusted");
  },
);

test("an address that is not this machine's is refused like a name", async () => {
  const pair = await createServerCertificate(["10.0.0.1", "shop--x.localhost"], {
    validity: VALIDITY,
    authority,
  });
  expect(await tryOut(pair, "shop--x.localhost", authority.certificate)).toContain("permitted");
});

test("a certificate of the authority makes no further ones", async () => {
  const child = await createServerCertificate(["localhost"], { validity: VALIDITY, authority });
  const pair = await createServerCertificate(["localhost"], {
    validity: VALIDITY,
    authority: child,
  });
  expect(await tryOut(pair, "localhost", authority.certificate)).not.toBe("trusted");
  expect(new X509Certificate(child.certificate).ca).toBe(false);
});

test("one that has expired is refused, and says when it did", async () => {
  const until = new Date(NOW - 1000);
  const validity = { from: new Date(NOW - 60_000), until };
  const pair = await createServerCertificate(["localhost"], { validity, authority });
  expect(await tryOut(pair, "localhost", authority.certificate)).toContain("expired");
  expect(Math.abs(readExpiry(pair) - until.getTime())).toBeLessThan(1000);
});

test("key and certificate are read again as they were written, and only where they belong together", async () => {
  const other = await createServerCertificate(["localhost"], { validity: VALIDITY, authority });
  expect(parseKeyPair(formatKeyPair(other))).toEqual(other);
  const mixed = { key: authority.key, certificate: other.certificate };
  expect(parseKeyPair(formatKeyPair(mixed))).toBeUndefined();
  for (const damaged of ["", other.key, other.certificate, formatKeyPair(other).slice(0, -60)])
    expect(parseKeyPair(damaged)).toBeUndefined();
});

test("no two certificates have the same number", async () => {
  const pairs = await Promise.all(
    [1, 2, 3].map(async () =>
      createServerCertificate(["localhost"], { validity: VALIDITY, authority }),
    ),
  );
  const numbers = pairs.map(({ certificate }) => new X509Certificate(certificate).serialNumber);
  expect(new Set(numbers).size).toBe(3);
});
