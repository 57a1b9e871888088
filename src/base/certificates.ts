import { createPrivateKey, KeyObject, randomBytes, webcrypto, X509Certificate } from "node:crypto";

import type * as x509 from "@peculiar/x509";

/** PEM; the private key is of the certificate's public one. */
export type KeyPair = { readonly key: string; readonly certificate: string };

export type Validity = { readonly from: Date; readonly until: Date };

const CURVE = { name: "ECDSA", namedCurve: "P-256" } as const;
const SIGNING = { name: "ECDSA", hash: "SHA-256" } as const;
const SERIAL_BYTES = 15;

/** RFC 5280, 4.2.1.10: DNS names at and below `localhost`, 127.0.0.0/8 and ::1, in DER. */
const LOCALHOST_ONLY = Buffer.from(
  "303fa03d" +
    "300b8209" + // dNSName
    Buffer.from("localhost").toString("hex") +
    "300a8708" + // iPAddress with its mask
    "7f000000ff000000" +
    "30228720" +
    "00000000000000000000000000000001" +
    "ffffffffffffffffffffffffffffffff",
  "hex",
);
const NAME_CONSTRAINTS = "2.5.29.30";

/** An authority whose certificates are good for names of this machine alone, whoever gets hold of its key. */
export async function createLocalAuthority(name: string, validity: Validity): Promise<KeyPair> {
  const made = await loadX509();
  const keys = await createKeys();
  const certificate = await made.X509CertificateGenerator.createSelfSigned({
    ...describe(validity),
    name: [{ CN: [name] }],
    keys,
    extensions: [
      new made.BasicConstraintsExtension(true, 0, true),
      new made.KeyUsagesExtension(
        made.KeyUsageFlags.keyCertSign | made.KeyUsageFlags.cRLSign,
        true,
      ),
      new made.ExtendedKeyUsageExtension([made.ExtendedKeyUsage.serverAuth]),
      new made.Extension(NAME_CONSTRAINTS, true, LOCALHOST_ONLY),
      await made.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { key: formatKey(keys.privateKey), certificate: `${certificate.toString("pem")}\n` };
}

/** A server's certificate for these DNS names and addresses; without an authority it is its own. */
export async function createServerCertificate(
  hosts: readonly [string, ...string[]],
  { validity, authority }: { readonly validity: Validity; readonly authority: KeyPair | null },
): Promise<KeyPair> {
  const made = await loadX509();
  const keys = await createKeys();
  const names = hosts.map((value) => ({ type: isAddress(value) ? "ip" : "dns", value }) as const);
  const issuer = authority === null ? null : new made.X509Certificate(authority.certificate);
  const signingKey = authority === null ? keys.privateKey : importKey(authority.key);
  const certificate = await made.X509CertificateGenerator.create({
    ...describe(validity),
    subject: [{ CN: [hosts[0]] }],
    issuer: issuer?.subject ?? [{ CN: [hosts[0]] }],
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new made.BasicConstraintsExtension(false, undefined, true),
      new made.KeyUsagesExtension(made.KeyUsageFlags.digitalSignature, true),
      new made.ExtendedKeyUsageExtension([made.ExtendedKeyUsage.serverAuth]),
      new made.SubjectAlternativeNameExtension(names),
      await made.AuthorityKeyIdentifierExtension.create(issuer?.publicKey ?? keys.publicKey),
    ],
  });
  return { key: formatKey(keys.privateKey), certificate: `${certificate.toString("pem")}\n` };
}

/** Key and certificate in one text, so that they always fit each other. */
export function formatKeyPair({ key, certificate }: KeyPair): string {
  return `${key}${certificate}`;
}

/** The reverse; undefined where it holds no key with its certificate. */
export function parseKeyPair(pem: string): KeyPair | undefined {
  const begin = pem.indexOf("-----BEGIN CERTIFICATE-----");
  if (begin < 0) return undefined;
  const pair = { key: pem.slice(0, begin), certificate: pem.slice(begin) };
  try {
    return new X509Certificate(pair.certificate).checkPrivateKey(createPrivateKey(pair.key))
      ? pair
      : undefined;
  } catch {
    // Damaged, or something else: it is made anew.
    return undefined;
  }
}

/** Milliseconds since 1970 at which it is no longer good. */
export function readExpiry({ certificate }: KeyPair): number {
  return new X509Certificate(certificate).validToDate.getTime();
}

async function loadX509(): Promise<typeof x509> {
  const loaded = await import("@peculiar/x509");
  loaded.cryptoProvider.set(webcrypto);
  return loaded;
}

async function createKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(CURVE, true, ["sign", "verify"]);
}

function formatKey(key: webcrypto.CryptoKey): string {
  return KeyObject.from(key).export({ type: "pkcs8", format: "pem" }).toString();
}

function importKey(pem: string): webcrypto.CryptoKey {
  return createPrivateKey(pem).toCryptoKey(CURVE, false, ["sign"]);
}

function describe({ from, until }: Validity): {
  readonly serialNumber: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly signingAlgorithm: typeof SIGNING;
} {
  // Positive: its first bit is 0.
  const serialNumber = `01${randomBytes(SERIAL_BYTES).toString("hex")}`;
  return { serialNumber, notBefore: from, notAfter: until, signingAlgorithm: SIGNING };
}

function isAddress(host: string): boolean {
  return /^[\d.]+$/.test(host) || host.includes(":");
}
