import type { X509Certificate } from "node:crypto";

import { Problem } from "../../base/problem.ts";
import { flagInvalid } from "../grammar/problems.ts";
import type { Context, Proxy } from "../terminal/context.ts";
import { canAsk } from "../terminal/questions.ts";
import { openSocket, readShownCertificate } from "./remote-line.ts";
import { fingerprintOther, fingerprintUnconfirmed } from "./remote-problems.ts";

type Question = {
  readonly url: string;
  readonly proxy: Proxy | undefined;
  readonly isJson: boolean;
  /** As `normalizeFingerprint` writes it; null: whoever sits there is asked. */
  readonly expected: string | null;
};

/** `3F:A0:…`, as certificates' fingerprints are printed. @throws `flag_invalid` */
export function normalizeFingerprint(text: string): string {
  const digits = text
    .replace(/^sha256[:=]/i, "")
    .replaceAll(/[: ]/g, "")
    .toUpperCase();
  if (!/^[0-9A-F]{64}$/.test(digits))
    throw flagInvalid("--fingerprint", text, "64 hexadecimal digits, as the server printed them");
  return (digits.match(/../g) ?? []).join(":");
}

/**
 * The certificate to pin, as PEM, once its fingerprint is the expected one or a person has said yes to it; null where an
 * authority vouches for it and none is asked for. @throws `fingerprint_other`, `fingerprint_unconfirmed`, `declined`
 */
export async function confirmFingerprint(
  context: Context,
  { url, proxy, isJson, expected }: Question,
): Promise<string | null> {
  if (expected === null && (await isVouchedFor({ url, proxy }))) return null;
  const shown = await readShownCertificate({ url, proxy });
  const { fingerprint256: found } = shown;
  if (expected === null) await askPerson(context, { url, isJson, found });
  else if (found !== expected) throw fingerprintOther(url, found);
  return formatPem(shown);
}

async function isVouchedFor(way: Pick<Question, "url" | "proxy">): Promise<boolean> {
  try {
    (await openSocket({ ...way, trust: { authority: null, pinned: null } })).destroy();
    return true;
  } catch (error) {
    if (error instanceof Problem && error.code === "server_untrusted") return false;
    throw error;
  }
}

async function askPerson(
  context: Context,
  { url, isJson, found }: { url: string; isJson: boolean; found: string },
): Promise<void> {
  if (!canAsk(context, isJson)) throw fingerprintUnconfirmed(url, found);
  const { confirmLoss } = await import("../terminal/prompts.ts");
  await confirmLoss(
    context,
    `Nobody vouches for the certificate of ${url}. Its SHA-256 fingerprint is\n${found}\nCompare it with what the server printed when it started.`,
    isJson,
  );
}

function formatPem(certificate: X509Certificate): string {
  return certificate.toString();
}
