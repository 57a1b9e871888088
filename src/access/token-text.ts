import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** What a token is written as: a mark that scanners of leaked secrets can look for, a public id, 256 random bits. */
const TOKEN = /^ramet_(?<id>[0-9a-f]{12})_[A-Za-z0-9_-]{43}$/;
const ID_BYTES = 6;
const SECRET_BYTES = 32;

export type NewToken = { readonly id: string; readonly text: string; readonly hash: string };

export function createTokenText(): NewToken {
  const id = randomBytes(ID_BYTES).toString("hex");
  const text = `ramet_${id}_${randomBytes(SECRET_BYTES).toString("base64url")}`;
  return { id, text, hash: hashToken(text) };
}

/** undefined: it is no token of any server. */
export function findTokenId(text: string): string | undefined {
  return TOKEN.exec(text)?.groups?.["id"];
}

/**
 * What is kept of a token. A fast hash is the right one here: 256 random bits cannot be guessed, however fast a guess is;
 * a slow one, as passwords need, would let strangers keep the server busy.
 */
export function hashToken(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Takes as long whatever differs. */
export function isSameHash(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one, "hex"), Buffer.from(other, "hex")];
  return a.length === b.length && timingSafeEqual(a, b);
}
