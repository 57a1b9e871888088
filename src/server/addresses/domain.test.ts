import { mkdtemp, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { createServerCertificate } from "../../base/certificates.ts";
import type { Domain } from "./domain.ts";
import { OwnDomain } from "./domain.ts";

const NAME = "dev.example.com";

let folder: string;
let file: string;
let domain: Domain;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "ramet-domain-"));
  file = path.join(folder, "domain.json");
  domain = {
    name: NAME,
    certificate: path.join(folder, "full.pem"),
    key: path.join(folder, "key.pem"),
  };
});
afterEach(async () => rm(folder, { recursive: true }));

/** Writes a new pair; resolves with its certificate. */
async function renew(host = `*.${NAME}`): Promise<string> {
  const validity = { from: new Date(Date.now() - 1000), until: new Date(Date.now() + 3_600_000) };
  const { key, certificate } = await createServerCertificate([host], { validity, authority: null });
  await writeFile(domain.key, key);
  // An editor may leave out the last line's end.
  await writeFile(domain.certificate, certificate.trimEnd());
  const later = new Date(Date.now() + Math.random() * 1e6);
  await utimes(domain.certificate, later, later);
  return certificate;
}

test("without a domain no name has a certificate of the user's own", async () => {
  const own = new OwnDomain(file);
  await own.start();
  expect(own.get()).toBeNull();
  expect(await own.findPair(`shop--x.${NAME}`)).toBeUndefined();
});

test("a domain is kept over a restart, readable by its owner alone, until it is taken away", async () => {
  await renew();
  await new OwnDomain(file).set(domain);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const next = new OwnDomain(file);
  await next.start();
  expect(next.get()).toEqual(domain);
  await next.set(null);
  const last = new OwnDomain(file);
  await last.start();
  expect(last.get()).toBeNull();
});

test("names directly below it have its certificate, which is read again when it was renewed", async () => {
  const first = await renew();
  const own = new OwnDomain(file);
  await own.set(domain);
  const found = await own.findPair(`shop--x.${NAME}`);
  expect(found?.certificate).toBe(first);
  expect(await own.findPair(`shop--y.${NAME}`)).toBe(found);
  for (const name of [NAME, `a.b.${NAME}`, "shop--x.localhost", `x${NAME}`, ""])
    expect(await own.findPair(name)).toBeUndefined();

  const second = await renew();
  expect((await own.findPair(`shop--x.${NAME}`))?.certificate).toBe(second);
});

test.each([
  "example",
  "localhost",
  "shop.localhost",
  "-a.com",
  "a..com",
  "a.com.",
  "*.a.com",
  "1.2.3.4",
  "",
])("%j is no domain to be below", async (name) => {
  await renew(name.includes(".") ? `*.${name}` : "*.a.com");
  const set = new OwnDomain(file).set({ ...domain, name });
  await expect(set).rejects.toMatchObject({ code: "domain_invalid" });
});

test("a certificate for other names, with another's key, or none at all changes nothing", async () => {
  const own = new OwnDomain(file);
  await expect(own.set(domain)).rejects.toMatchObject({ code: "certificate_unreadable" });
  await renew("*.other.example.com");
  await expect(own.set(domain)).rejects.toMatchObject({ code: "certificate_unfit" });
  await renew();
  const swapped = { ...domain, key: domain.certificate };
  await expect(own.set(swapped)).rejects.toMatchObject({ code: "certificate_unfit" });
  expect(own.get()).toBeNull();
  await own.set(domain);
  expect(own.get()).toEqual(domain);
});
