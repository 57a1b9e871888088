import { X509Certificate } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import { createSecureContext } from "node:tls";
import type { SecureContext } from "node:tls";

import type { Clock } from "../../base/clock.ts";
import { hasErrorCode } from "../../base/problem.ts";
import { writeAtomically } from "../../base/write-atomically.ts";

/** Key and certificate in one file, so that they always fit each other. */
const FILE = "wire.pem";
const DAY_MS = 24 * 60 * 60 * 1000;
const VALID_DAYS = 3650;
/** It is made anew when less than this is left. */
const LEFT_DAYS = 30;

/** The gateway's own key pair, made when the first client asks for TLS. Clients cannot check it, only be encrypted. */
export class TlsKeys {
  readonly #folder: string;
  readonly #clock: Clock;
  #context: Promise<SecureContext> | undefined;

  constructor(folder: string, clock: Clock) {
    this.#folder = folder;
    this.#clock = clock;
  }

  /** Made once; a failure is tried again by the next client. */
  async openContext(): Promise<SecureContext> {
    this.#context ??= this.#open();
    try {
      return await this.#context;
    } catch (error) {
      this.#context = undefined;
      throw error;
    }
  }

  async #open(): Promise<SecureContext> {
    const pem = (await this.#read()) ?? (await this.#create());
    return createSecureContext({ key: pem, cert: pem, minVersion: "TLSv1.2" });
  }

  async #read(): Promise<string | undefined> {
    try {
      const pem = await readFile(path.join(this.#folder, FILE), "utf8");
      return this.#isFresh(pem) ? pem : undefined;
    } catch (error) {
      if (hasErrorCode(error, "ENOENT")) return undefined;
      throw error;
    }
  }

  #isFresh(pem: string): boolean {
    const begin = pem.indexOf("-----BEGIN CERTIFICATE-----");
    if (begin < 0) return false;
    const until = new X509Certificate(pem.slice(begin)).validToDate.getTime();
    return until - this.#clock.now() > LEFT_DAYS * DAY_MS;
  }

  async #create(): Promise<string> {
    const { generate } = await import("selfsigned");
    const now = this.#clock.now();
    const pair = await generate([{ name: "commonName", value: "localhost" }], {
      keyType: "ec",
      algorithm: "sha256",
      notBeforeDate: new Date(now - DAY_MS),
      notAfterDate: new Date(now + VALID_DAYS * DAY_MS),
    });
    const pem = `${pair.private.trim()}\n${pair.cert.trim()}\n`;
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    await writeAtomically(path.join(this.#folder, FILE), pem, { mode: 0o600 });
    return pem;
  }
}
