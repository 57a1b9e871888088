import { randomUUID } from "node:crypto";
import { link, readFile, rm } from "node:fs/promises";
import path from "node:path";

import { z } from "zod";

import { hasErrorCode } from "../base/problem.ts";
import { syncFolder, writeAtomically } from "../base/write-atomically.ts";
import { secretKeyUnreadable } from "./problems.ts";
import { loadSodium } from "./sodium.ts";

export type KeyPair = { readonly publicKey: Uint8Array; readonly privateKey: Uint8Array };

/** Both keys in one file: there is no instant at which one of them is another's. */
const FILE = "secrets.json";
const KEY_BYTES = 32;
const fileSchema = z.strictObject({ publicKey: z.base64(), privateKey: z.base64() });

/** undefined: none was made yet. @throws `secret_key_unreadable` */
export async function readKeyPair(keys: string): Promise<KeyPair | undefined> {
  const file = path.join(keys, FILE);
  try {
    return parseKeyPair(await readFile(file, "utf8"));
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return undefined;
    if (error instanceof SyntaxError || error instanceof z.ZodError)
      throw secretKeyUnreadable(file);
    throw error;
  }
}

/** However many make one at once, all get the same. */
export async function makeKeyPair(keys: string): Promise<KeyPair> {
  const file = path.join(keys, FILE);
  const mine = path.join(keys, `${FILE}.${randomUUID()}`);
  try {
    await writeAtomically(mine, await createKeyPairText(), { mode: 0o600 });
    await linkUnlessThere(mine, file);
  } finally {
    await rm(mine, { force: true });
  }
  await syncFolder(keys);
  const pair = await readKeyPair(keys);
  if (pair === undefined) throw new Error(`The key pair ${file} vanished as it was made.`);
  return pair;
}

function parseKeyPair(text: string): KeyPair {
  const fields = fileSchema.parse(JSON.parse(text));
  const publicKey = Buffer.from(fields.publicKey, "base64");
  const privateKey = Buffer.from(fields.privateKey, "base64");
  if (publicKey.length === KEY_BYTES && privateKey.length === KEY_BYTES)
    return { publicKey, privateKey };
  throw new SyntaxError("A key has another length.");
}

async function createKeyPairText(): Promise<string> {
  const { publicKey, privateKey } = (await loadSodium()).crypto_box_keypair();
  return `${JSON.stringify({ publicKey: toBase64(publicKey), privateKey: toBase64(privateKey) })}\n`;
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

async function linkUnlessThere(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (!hasErrorCode(error, "EEXIST")) throw error;
  }
}
