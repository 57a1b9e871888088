import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";

import { z } from "zod";

import type { KeyPair } from "../../base/certificates.ts";
import { hasErrorCode } from "../../base/problem.ts";
import { writeAtomically } from "../../base/write-atomically.ts";
import { readPair, stampOf } from "./pem-files.ts";
import { certificateUnfit, domainInvalid } from "./problems.ts";

const domainSchema = z.object({
  name: z.string(),
  /** Files of PEM; whoever renews the certificate writes them anew. */
  certificate: z.string(),
  key: z.string(),
});
export type Domain = z.infer<typeof domainSchema>;

const NAME =
  /^(?=.{4,200}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/;

/** A domain of the user's own, below which environments are reached besides `*.localhost`; and its certificate. */
export class OwnDomain {
  readonly #file: string;
  #domain: Domain | null = null;
  #read: { readonly stamp: string; readonly pair: KeyPair } | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  async start(): Promise<void> {
    try {
      this.#domain = domainSchema.nullable().parse(JSON.parse(await readFile(this.#file, "utf8")));
    } catch (error) {
      if (!hasErrorCode(error, "ENOENT")) throw error;
    }
  }

  get(): Domain | null {
    return this.#domain;
  }

  /** @throws `domain_invalid`, `certificate_unreadable`, `certificate_unfit`; nothing is changed then */
  async set(domain: Domain | null): Promise<void> {
    if (domain !== null) await assertFit(domain);
    await writeAtomically(this.#file, `${JSON.stringify(domain)}\n`, { mode: 0o600 });
    this.#domain = domain;
    this.#read = undefined;
  }

  /** For a host name directly below it; undefined for every other. Read again when its files have changed. */
  async findPair(hostname: string): Promise<KeyPair | undefined> {
    const domain = this.#domain;
    if (domain === null || hostname.slice(hostname.indexOf(".") + 1) !== domain.name)
      return undefined;
    const stamp = await stampOf(domain);
    if (this.#read?.stamp !== stamp) this.#read = { stamp, pair: await readPair(domain) };
    return this.#read.pair;
  }
}

async function assertFit(domain: Domain): Promise<void> {
  if (!NAME.test(domain.name) || domain.name.endsWith(".localhost"))
    throw domainInvalid(domain.name);
  const { certificate } = await readPair(domain);
  if (new X509Certificate(certificate).checkHost(`shop--development.${domain.name}`) === undefined)
    throw certificateUnfit(domain.certificate, `it is not for *.${domain.name}`);
}
