import { appendFile, readFile, rename, stat } from "node:fs/promises";

import { z } from "zod";

import { KeyedLock } from "../base/keyed-lock.ts";
import { hasErrorCode } from "../base/problem.ts";

const entrySchema = z.object({
  /** ISO 8601 UTC. */
  time: z.string(),
  /** null: the server's owner, on its own machine. */
  user: z.string().nullable(),
  /** The id of their token. */
  token: z.string().nullable(),
  /** Where they called from; null: the same machine. */
  address: z.string().nullable(),
  call: z.string(),
  app: z.string().nullable(),
  environment: z.string().nullable(),
  /** What else it was about: a user, a token's id, names of variables. Never a value. */
  subject: z.string().nullable(),
  /** `done`, or the code of the problem that it met with. */
  outcome: z.string(),
});

/** One write: who, what, when. */
export type AuditEntry = z.infer<typeof entrySchema>;

/** Then a new file is begun, and the one before is kept. */
const MAX_BYTES = 10 * 1024 * 1024;

/** What was written on this server, a line each, in the order in which it ended. */
export class AuditLog {
  readonly #file: string;
  readonly #lock = new KeyedLock();

  constructor(file: string) {
    this.#file = file;
  }

  async note(entry: AuditEntry): Promise<void> {
    await this.#lock.run(this.#file, async () => {
      if ((await sizeOf(this.#file)) >= MAX_BYTES) await rename(this.#file, this.#before);
      await appendFile(this.#file, `${JSON.stringify(entry)}\n`, { mode: 0o600 });
    });
  }

  /** The last ones, the latest last. */
  async read(last: number): Promise<readonly AuditEntry[]> {
    const lines = [...(await readLines(this.#before)), ...(await readLines(this.#file))];
    return lines.slice(Math.max(0, lines.length - last)).flatMap(parseEntry);
  }

  get #before(): string {
    return `${this.#file}.1`;
  }
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return 0;
    throw error;
  }
}

async function readLines(file: string): Promise<readonly string[]> {
  try {
    return (await readFile(file, "utf8")).split("\n").filter((line) => line !== "");
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return [];
    throw error;
  }
}

/** A line that was cut short by a crash is none. */
function parseEntry(line: string): readonly AuditEntry[] {
  try {
    return [entrySchema.parse(JSON.parse(line))];
  } catch {
    // Half a line says nothing that can be relied on.
    return [];
  }
}
