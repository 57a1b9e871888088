import type { Stats } from "node:fs";
import { readFile, stat } from "node:fs/promises";

import { formatKeyPair, type KeyPair, parseKeyPair } from "../../base/certificates.ts";
import { messageOf } from "../../base/problem.ts";
import { certificateUnfit, certificateUnreadable } from "./problems.ts";

/** Where a certificate and its key lie, as PEM; whoever renews it writes them anew. */
export type PemFiles = { readonly certificate: string; readonly key: string };

/** @throws `certificate_unreadable`, `certificate_unfit` */
export async function readPair({ certificate, key }: PemFiles): Promise<KeyPair> {
  const pair = parseKeyPair(
    formatKeyPair({ key: await readPem(key), certificate: await readPem(certificate) }),
  );
  if (pair === undefined) throw certificateUnfit(certificate, `${key} is not its key`);
  return pair;
}

/** Another one where they have changed. */
export async function stampOf({ certificate, key }: PemFiles): Promise<string> {
  const files = await Promise.all([certificate, key].map(findStats));
  return files.map((file) => `${file?.mtimeMs}.${file?.size}`).join(" ");
}

async function readPem(file: string): Promise<string> {
  try {
    const text = await readFile(file, "utf8");
    return text.endsWith("\n") ? text : `${text}\n`;
  } catch (error) {
    throw certificateUnreadable(file, messageOf(error));
  }
}

async function findStats(file: string): Promise<Stats | undefined> {
  try {
    return await stat(file);
  } catch {
    // Whoever reads it says why it cannot be.
    return undefined;
  }
}
