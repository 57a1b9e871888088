import { createHash } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { hostname } from "node:os";
import path from "node:path";
import { createSecureContext, type SecureContext } from "node:tls";

import {
  createLocalAuthority,
  createServerCertificate,
  formatKeyPair,
  type KeyPair,
  parseKeyPair,
  readExpiry,
  type Validity,
} from "../base/certificates.ts";
import type { Clock } from "../base/clock.ts";
import { hasErrorCode } from "../base/problem.ts";
import { writeAtomically } from "../base/write-atomically.ts";
import { MAX_CERTIFICATES } from "./limits.ts";

/** The authority's key; and its certificate alone, for those who are to trust it. */
const KEY_FILE = "authority.pem";
const CERTIFICATE_FILE = "authority.crt";

const DAY_MS = 24 * 60 * 60 * 1000;
const AUTHORITY_DAYS = 3650;
/** Browsers take none that is good for longer than 398. */
const SERVER_DAYS = 90;
/** It is made anew when less than this is left. */
const LEFT_DAYS = 30;

/** What a client that names no host, or none of ours, is shown. */
const OWN_NAMES = ["localhost", "127.0.0.1", "::1"] as const;
/** `shop--x.localhost` of it and of what is below it: browsers refuse a wildcard directly below `localhost`. */
const SITE = /(?:^|\.)([a-z0-9-]{1,63}\.localhost)$/;

/** A certificate of the user's own for a host name, in lower case; undefined: there is none. */
export type FindGiven = (hostname: string) => Promise<KeyPair | undefined>;

type Entry = { readonly context: SecureContext; readonly pair: KeyPair };

/** The certificates of the names of this machine, made as they are asked for, by an authority of this home's own. */
export class Certificates {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #given: FindGiven;
  #authority: Promise<KeyPair> | undefined;
  /** Of those that were given. */
  #last: Entry | undefined;
  readonly #known = new Map<string, Promise<Entry>>();

  constructor(folder: string, clock: Clock, given: FindGiven) {
    this.#folder = folder;
    this.#clock = clock;
    this.#given = given;
  }

  /** Made once; a failure is tried again by the next who asks. */
  async requireAuthority(): Promise<KeyPair> {
    this.#authority ??= this.#openAuthority();
    try {
      return await this.#authority;
    } catch (error) {
      this.#authority = undefined;
      throw error;
    }
  }

  get certificateFile(): string {
    return path.join(this.#folder, CERTIFICATE_FILE);
  }

  /** For clients that name no host. */
  async ownPair(): Promise<KeyPair> {
    return (await this.#entryOf("")).pair;
  }

  /** @param name as a client says it, in whatever case */
  async contextFor(name: string): Promise<SecureContext> {
    const given = await this.#given(name.toLowerCase());
    if (given !== undefined) return this.#contextOf(given);
    const site = SITE.exec(name.toLowerCase())?.[1] ?? "";
    const entry = await this.#entryOf(site);
    if (this.#isFresh(entry.pair, 1)) return entry.context;
    this.#known.delete(site);
    return (await this.#entryOf(site)).context;
  }

  /** Made anew when the certificate is another. */
  #contextOf(pair: KeyPair): SecureContext {
    if (this.#last?.pair !== pair) this.#last = { pair, context: createContext(pair) };
    return this.#last.context;
  }

  #entryOf(site: string): Promise<Entry> {
    const known = this.#known.get(site);
    if (known !== undefined) return known;
    const [oldest] = this.#known.keys();
    if (this.#known.size >= MAX_CERTIFICATES && oldest !== undefined) this.#known.delete(oldest);
    const made = this.#create(site);
    this.#known.set(site, made);
    // Whoever waits for it meets its failure; the next one has it made anew.
    made.catch(() => this.#known.delete(site));
    return made;
  }

  async #create(site: string): Promise<Entry> {
    const authority = await this.requireAuthority();
    const pair = await createServerCertificate(site === "" ? OWN_NAMES : [site, `*.${site}`], {
      validity: this.#validFor(SERVER_DAYS),
      authority,
    });
    return { pair, context: createContext(pair) };
  }

  async #openAuthority(): Promise<KeyPair> {
    const known = await this.#readAuthority();
    if (known !== undefined && this.#isFresh(known, LEFT_DAYS)) return known;
    const name = `Ramet on ${hostname().slice(0, 32)} (${this.#mark()})`;
    const made = await createLocalAuthority(name, this.#validFor(AUTHORITY_DAYS));
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const file = path.join(this.#folder, KEY_FILE);
    await writeAtomically(file, formatKeyPair(made), { mode: 0o600 });
    await writeAtomically(this.certificateFile, made.certificate, { mode: 0o644 });
    return made;
  }

  async #readAuthority(): Promise<KeyPair | undefined> {
    try {
      return parseKeyPair(await readFile(path.join(this.#folder, KEY_FILE), "utf8"));
    } catch (error) {
      if (hasErrorCode(error, "ENOENT")) return undefined;
      throw error;
    }
  }

  /** Tells the authorities of several homes of one machine apart. */
  #mark(): string {
    return createHash("sha256").update(this.#folder).digest("hex").slice(0, 6);
  }

  #isFresh(pair: KeyPair, days: number): boolean {
    return readExpiry(pair) - this.#clock.now() > days * DAY_MS;
  }

  #validFor(days: number): Validity {
    const now = this.#clock.now();
    return { from: new Date(now - DAY_MS), until: new Date(now + days * DAY_MS) };
  }
}

function createContext({ key, certificate: cert }: KeyPair): SecureContext {
  return createSecureContext({ key, cert, minVersion: "TLSv1.2" });
}
