import { mkdir } from "node:fs/promises";

import { z } from "zod";

import type { EnvironmentId } from "../environment/environment.ts";
import { type KeyPair, makeKeyPair, readKeyPair } from "./key-pair.ts";
import { secretUnreadable } from "./problems.ts";
import { loadSodium } from "./sodium.ts";

/** What a sealed value is bound to: it opens nowhere else. */
export type SealPlace = { readonly id: EnvironmentId; readonly name: string };

const contentSchema = z.strictObject({ id: z.string(), name: z.string(), value: z.string() });

/** Seals with the key pair of this folder, which is made when there is none. */
export async function openSealer(
  keys: string,
): Promise<(place: SealPlace, value: string) => string> {
  const sodium = await loadSodium();
  await mkdir(keys, { recursive: true, mode: 0o700 });
  const pair = (await readKeyPair(keys)) ?? (await makeKeyPair(keys));
  return ({ id, name }, value) => {
    const sealed = sodium.crypto_box_seal(JSON.stringify({ id, name, value }), pair.publicKey);
    return Buffer.from(sealed).toString("base64");
  };
}

/** The opener throws `secret_unreadable` for what was not sealed with this key for this very place. */
export async function openUnsealer(
  keys: string,
): Promise<(place: SealPlace, sealed: string) => string> {
  const sodium = await loadSodium();
  const pair = await readKeyPair(keys);
  const unseal = (sealed: string, { publicKey, privateKey }: KeyPair): Uint8Array =>
    sodium.crypto_box_seal_open(Buffer.from(sealed, "base64"), publicKey, privateKey);
  return (place, sealed) => {
    if (pair === undefined) throw secretUnreadable(place.name);
    return parseContent(place, () => unseal(sealed, pair));
  };
}

function parseContent(place: SealPlace, unseal: () => Uint8Array): string {
  try {
    const content = contentSchema.parse(JSON.parse(Buffer.from(unseal()).toString("utf8")));
    if (content.id === place.id && content.name === place.name) return content.value;
  } catch {
    // Whatever is wrong with it, its words must not be repeated: they could hold parts of the secret.
  }
  throw secretUnreadable(place.name);
}
