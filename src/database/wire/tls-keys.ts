import { mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import { createSecureContext } from "node:tls";
import type { SecureContext } from "node:tls";

import {
  createServerCertificate,
  formatKeyPair,
  type KeyPair,
  parseKeyPair,
  readExpiry,
} from "../../base/certificates.ts";
import type { Clock } from "../../base/clock.ts";
import { hasErrorCode } from "../../base/problem.ts";
import { writeAtomically } from "../../base/write-atomically.ts";

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
    const { key, certificate: cert } = (await this.#read()) ?? (await this.#create());
    return createSecureContext({ key, cert, minVersion: "TLSv1.2" });
  }

  async #read(): Promise<KeyPair | undefined> {
    try {
      const pair = parseKeyPair(await readFile(path.join(this.#folder, FILE), "utf8"));
      return pair !== undefined && this.#isFresh(pair) ? pair : undefined;
    } catch (error) {
      if (hasErrorCode(error, "ENOENT")) return undefined;
      throw error;
    }
  }

  #isFresh(pair: KeyPair): boolean {
    return readExpiry(pair) - this.#clock.now() > LEFT_DAYS * DAY_MS;
  }

  async #create(): Promise<KeyPair> {
    const now = this.#clock.now();
    const validity = { from: new Date(now - DAY_MS), until: new Date(now + VALID_DAYS * DAY_MS) };
    const pair = await createServerCertificate(["localhost"], { validity, authority: null });
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    await writeAtomically(path.join(this.#folder, FILE), formatKeyPair(pair), { mode: 0o600 });
    return pair;
  }
}
