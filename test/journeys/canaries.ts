/** Secrets that must show up nowhere, and where to look for them, in whatever form. */
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";

import { sleep } from "../../src/base/clock.ts";
import { hasErrorCode } from "../../src/base/problem.ts";

const MAX_FILE_BYTES = 64 * 1024 * 1024;
const LOOK_EVERY_MS = 2;

/** As it is, and as encodings make of it that are used without a thought. */
export function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  // Where it stands in what is encoded decides which of three forms it has; what its neighbours share is cut off.
  const aligned = [0, 1, 2].map((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64");
    return encoded.replaceAll("=", "").slice(before === 0 ? 0 : 4, -2);
  });
  const escaped = [...bytes].map((byte) => `\\u00${byte.toString(16)}`).join("");
  return [
    secret,
    ...aligned,
    ...aligned.map((form) => form.replaceAll("+", "-").replaceAll("/", "_")),
    bytes.toString("hex"),
    bytes.toString("hex").toUpperCase(),
    encodeURIComponent(secret),
    escaped,
    Array.from(secret).toReversed().join(""),
  ];
}

/** The files below a folder that hold any of them, but for those that are there to hold it. */
export async function findInFiles(
  folder: string,
  secrets: readonly string[],
  isExpected: (file: string) => boolean,
): Promise<readonly string[]> {
  const forms = secrets.flatMap(formsOf).map((form) => Buffer.from(form));
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const found: string[] = [];
  for (const { parentPath, name } of files) {
    const file = path.join(parentPath, name);
    if (isExpected(file)) continue;
    const bytes = await readOrNothing(file);
    if (forms.some((form) => bytes.includes(form))) found.push(file);
  }
  return found;
}

/** Looks at every process's arguments again and again; tells the arguments that held any of them. */
export function watchArguments(secrets: () => readonly string[]): {
  stop(): Promise<readonly string[]>;
} {
  const seen = new Set<string>();
  const over = new AbortController();
  const watching = (async () => {
    while (!over.signal.aborted) {
      const forms = secrets().flatMap(formsOf);
      for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
        const line = (await readOrNothing(`/proc/${pid}/cmdline`)).toString("utf8");
        if (forms.some((form) => line.includes(form))) seen.add(line.replaceAll("\0", " "));
      }
      await sleep(LOOK_EVERY_MS);
    }
  })();
  return {
    stop: async () => {
      over.abort();
      await watching;
      return [...seen];
    },
  };
}

/** What goes while it is read, or is nobody's to read, holds nothing for anyone. */
async function readOrNothing(file: string): Promise<Buffer> {
  try {
    const bytes = await readFile(file);
    return bytes.subarray(0, MAX_FILE_BYTES);
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ESRCH", "EACCES", "EPERM", "ENXIO")) return Buffer.alloc(0);
    throw error;
  }
}
