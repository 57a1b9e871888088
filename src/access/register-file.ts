import { readFile } from "node:fs/promises";

import { z } from "zod";

import { hasErrorCode } from "../base/problem.ts";
import { writeAtomically } from "../base/write-atomically.ts";
import { RIGHTS } from "./scope.ts";

const userSchema = z.object({
  name: z.string(),
  isAdmin: z.boolean(),
  createdAt: z.string(),
});
const tokenSchema = z.object({
  /** Public: what it is listed and revoked by. */
  id: z.string(),
  user: z.string(),
  /** What it is for, in its owner's words. */
  label: z.string().nullable(),
  /** SHA-256 of its text. */
  hash: z.string(),
  apps: z.array(z.string()).nullable(),
  right: z.enum(RIGHTS),
  createdAt: z.string(),
  /** ISO 8601 UTC; null: never. */
  expiresAt: z.string().nullable(),
});
const registerSchema = z.object({ users: z.array(userSchema), tokens: z.array(tokenSchema) });

export type UserRecord = z.infer<typeof userSchema>;
export type TokenRecord = z.infer<typeof tokenSchema>;
/** Who may ask this server from afar. */
export type Register = z.infer<typeof registerSchema>;

export async function readRegister(file: string): Promise<Register> {
  try {
    return registerSchema.parse(JSON.parse(await readFile(file, "utf8")));
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return { users: [], tokens: [] };
    // Damaged: to go on without it would be to forget who was shut out.
    throw error;
  }
}

export async function writeRegister(file: string, register: Register): Promise<void> {
  await writeAtomically(file, `${JSON.stringify(register, undefined, 2)}\n`, { mode: 0o600 });
}
