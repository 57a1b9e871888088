import { createHash, createHmac, pbkdf2, randomBytes } from "node:crypto";
import { promisify } from "node:util";

import type { Client } from "pg";

import { ADMIN_ROLE, APP_ROLE } from "./settings.ts";
import { quoteName, quoteText } from "./sql.ts";

/** PostgreSQL's own default. */
const ITERATIONS = 4096;

export type Passwords = { readonly appPassword: string; readonly adminPassword: string };

/** 192 random bits each, of characters that need no escape in a URL. */
export function createPasswords(): Passwords {
  return { appPassword: createPassword(), adminPassword: createPassword() };
}

/** What PostgreSQL stores of both; only this is ever sent to it, so no log holds a password. */
export type Verifiers = { readonly app: string; readonly admin: string };

export async function createVerifiers(passwords: Passwords): Promise<Verifiers> {
  const [app, admin] = await Promise.all([
    createVerifier(passwords.appPassword),
    createVerifier(passwords.adminPassword),
  ]);
  return { app, admin };
}

/** Replaces both roles' passwords in one step. */
export async function replacePasswords(client: Client, { app, admin }: Verifiers): Promise<void> {
  await client.query(
    `ALTER ROLE ${quoteName(APP_ROLE)} PASSWORD ${quoteText(app)};
     ALTER ROLE ${quoteName(ADMIN_ROLE)} PASSWORD ${quoteText(admin)};`,
  );
}

/** What PostgreSQL stores of a password (RFC 5803). */
export async function createVerifier(
  password: string,
  salt: Buffer = randomBytes(16),
): Promise<string> {
  const salted = await promisify(pbkdf2)(password, salt, ITERATIONS, 32, "sha256");
  const clientKey = createHmac("sha256", salted).update("Client Key").digest();
  const storedKey = createHash("sha256").update(clientKey).digest("base64");
  const serverKey = createHmac("sha256", salted).update("Server Key").digest("base64");
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString("base64")}$${storedKey}:${serverKey}`;
}

function createPassword(): string {
  return randomBytes(24).toString("base64url");
}
