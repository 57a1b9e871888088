import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";

import { z } from "zod";

import { hasErrorCode } from "../../base/problem.ts";
import { writeAtomically } from "../../base/write-atomically.ts";

/** What is recorded of a home's server; its id and its ports stay over restarts. */
export type ServerFile = z.infer<typeof schema>;

const schema = z.object({
  homeId: z.string().regex(/^[a-z0-9]{8,32}$/),
  gatewayPort: z.number().int().nullable(),
  databasePort: z.number().int().nullable(),
  pid: z.number().int().nullable(),
  startedAt: z.string().nullable(),
  version: z.string().nullable(),
});

/** A home that has none yet gets a new id. */
export async function readServerFile(file: string): Promise<ServerFile> {
  try {
    return schema.parse(JSON.parse(await readFile(file, "utf8")));
  } catch (error) {
    if (!hasErrorCode(error, "ENOENT")) throw error;
    const homeId = randomBytes(6).toString("hex");
    return {
      homeId,
      gatewayPort: null,
      databasePort: null,
      pid: null,
      startedAt: null,
      version: null,
    };
  }
}

export async function writeServerFile(file: string, content: ServerFile): Promise<void> {
  await writeAtomically(file, `${JSON.stringify(content, undefined, 2)}\n`, { mode: 0o600 });
}

/** The token that a client must show; made at the first start. */
export async function requireToken(file: string): Promise<string> {
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (error) {
    if (!hasErrorCode(error, "ENOENT")) throw error;
    const token = randomBytes(32).toString("base64url");
    await writeAtomically(file, `${token}\n`, { mode: 0o600 });
    return token;
  }
}
