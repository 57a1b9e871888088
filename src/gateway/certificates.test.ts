import { X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { createServerCertificate } from "../base/certificates.ts";
import { Certificates } from "./certificates.ts";
import { MAX_CERTIFICATES } from "./limits.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

let folder: string;
let clock: { ms: number; now: () => number };

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "ramet-certificates-"));
  clock = { ms: Date.now(), now: () => clock.ms };
});
afterEach(async () => rm(folder, { recursive: true }));

function open(): Certificates {
  return new Certificates(folder, clock, async () => undefined);
}

test("an environment and its processes share one certificate, whatever case they are written in", async () => {
  const certificates = open();
  const context = await certificates.contextFor("shop--x.localhost");
  expect(await certificates.contextFor("API.Shop--X.localhost")).toBe(context);
  expect(await certificates.contextFor("shop--y.localhost")).not.toBe(context);
});

test("names of other machines, and what is no name, share the one for this machine's own", async () => {
  const certificates = open();
  const own = await certificates.contextFor("localhost");
  for (const name of ["example.com", "localhost.example.com", "x.localhost.", "", "*", "\0"])
    expect(await certificates.contextFor(name)).toBe(own);
});

test("one that is near its end is made anew", async () => {
  const certificates = open();
  const first = await certificates.contextFor("shop--x.localhost");
  clock.ms += 80 * DAY_MS;
  expect(await certificates.contextFor("shop--x.localhost")).toBe(first);
  clock.ms += 9.5 * DAY_MS;
  expect(await certificates.contextFor("shop--x.localhost")).not.toBe(first);
});

test("no more are kept than can be used: the oldest is made anew when it is asked for again", async () => {
  const certificates = open();
  const first = await certificates.contextFor("shop--0.localhost");
  for (let n = 1; n < MAX_CERTIFICATES; n += 1)
    await certificates.contextFor(`shop--${n}.localhost`);
  expect(await certificates.contextFor("shop--0.localhost")).toBe(first);
  await certificates.contextFor("shop--more.localhost");
  expect(await certificates.contextFor("shop--0.localhost")).not.toBe(first);
});

test("all who ask at once for the first time get the same authority", async () => {
  const certificates = open();
  const made = await Promise.all([1, 2, 3].map(async () => certificates.requireAuthority()));
  expect(new Set(made.map(({ certificate }) => certificate)).size).toBe(1);
  const written = await readFile(certificates.certificateFile, "utf8");
  expect(written).toBe(made[0]?.certificate);
  expect(new X509Certificate(written).subject).toMatch(/^CN=Ramet on .* \([0-9a-f]{6}\)$/);
});

test("an authority that is damaged is made anew, and a home where none can be made says so each time", async () => {
  const { certificate } = await open().requireAuthority();
  await writeFile(path.join(folder, "authority.pem"), "-----BEGIN NONSENSE-----\n");
  expect((await open().requireAuthority()).certificate).not.toBe(certificate);

  const nowhere = new Certificates(
    path.join(folder, "authority.pem"),
    clock,
    async () => undefined,
  );
  for (let n = 0; n < 2; n += 1)
    await expect(nowhere.contextFor("shop--x.localhost")).rejects.toThrow(/ENOTDIR|EEXIST/);
});

test("a certificate that the user has given goes before one of ours", async () => {
  const validity = { from: new Date(clock.ms - 1000), until: new Date(clock.ms + DAY_MS) };
  const given = await createServerCertificate(["*.dev.example.com"], { validity, authority: null });
  const certificates = new Certificates(folder, clock, async (name) =>
    name.endsWith(".dev.example.com") ? given : undefined,
  );
  const context = await certificates.contextFor("SHOP--x.dev.example.com");
  expect(await certificates.contextFor("shop--y.dev.example.com")).toBe(context);
  expect(await certificates.contextFor("shop--x.localhost")).not.toBe(context);
});
