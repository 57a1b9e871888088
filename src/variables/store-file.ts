import { readFile } from "node:fs/promises";

import { z } from "zod";

import { hasErrorCode } from "../base/problem.ts";
import { writeAtomically } from "../base/write-atomically.ts";
import { variablesTooLarge, variablesUnreadable } from "./problems.ts";

const storedSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("value"), name: z.string(), value: z.string() }),
  z.strictObject({ kind: z.literal("secret"), name: z.string(), sealed: z.string() }),
  /** Its value is still to be set. */
  z.strictObject({ kind: z.literal("placeholder"), name: z.string(), secret: z.boolean() }),
]);
const fileSchema = z.strictObject({ version: z.literal(1), variables: z.array(storedSchema) });

export type Stored = z.infer<typeof storedSchema>;
export type StoredByName = ReadonlyMap<string, Stored>;

/** Linux gives a process's arguments and environment 2 MiB together. */
const MAX_FILE_BYTES = 1024 * 1024;

/** Empty when there is no file yet. @throws `variables_unreadable`; the file stays as it is */
export async function readStore(file: string): Promise<StoredByName> {
  const text = await readText(file);
  if (text === undefined) return new Map();
  const parsed = fileSchema.safeParse(parseJson(file, text));
  if (!parsed.success) throw variablesUnreadable(file, "it does not have the expected form");
  return new Map(parsed.data.variables.map((stored) => [stored.name, stored]));
}

/** @throws `variables_too_large` */
export async function writeStore(file: string, stored: StoredByName): Promise<void> {
  const text = `${JSON.stringify({ version: 1, variables: [...stored.values()] }, null, 2)}\n`;
  if (Buffer.byteLength(text) > MAX_FILE_BYTES) throw variablesTooLarge(MAX_FILE_BYTES);
  await writeAtomically(file, text, { mode: 0o600 });
}

async function readText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return undefined;
    if (hasErrorCode(error, "EISDIR")) throw variablesUnreadable(file, "it is a folder");
    throw error;
  }
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own words quote the file, which may hold values.
    throw variablesUnreadable(file, "it is not JSON");
  }
}
