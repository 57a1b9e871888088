import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import path from "node:path";

import { hasErrorCode } from "../../base/problem.ts";
import { findJsonFault } from "./json-fault.ts";
import { manifestInvalid } from "./problems.ts";

const MAX_BYTES = 1024 * 1024;
/** Most files are smaller; a server that starts reads those of hundreds of environments at once. */
const PART_BYTES = 8 * 1024;

/** undefined when there is no such file. @throws `manifest_invalid` with line and column */
export async function readJsonFile(folder: string, name: string): Promise<unknown> {
  const bytes = await readBounded(path.join(folder, name), name);
  if (bytes === undefined) return undefined;
  const text = parseUtf8(bytes, name);
  const fault = findJsonFault(text);
  if (fault === undefined) return JSON.parse(text);
  throw manifestInvalid(`${name}:${fault.line}:${fault.column}`, fault.reason);
}

async function readBounded(file: string, name: string): Promise<Buffer | undefined> {
  const handle = await openIfThere(file, name);
  if (handle === undefined) return undefined;
  try {
    if (!(await handle.stat()).isFile()) throw manifestInvalid(name, "it is not a file");
    const bytes = await readUpTo(handle, MAX_BYTES + 1);
    if (bytes.length > MAX_BYTES) throw manifestInvalid(name, "it is larger than 1 MB");
    return bytes;
  } finally {
    await handle.close();
  }
}

/** Without waiting: a named pipe would let its reader wait for ever. */
async function openIfThere(file: string, name: string): Promise<FileHandle | undefined> {
  try {
    return await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR")) return undefined;
    if (hasErrorCode(error, "EACCES")) throw manifestInvalid(name, "it may not be read");
    if (hasErrorCode(error, "ELOOP", "ENXIO")) throw manifestInvalid(name, "it is not a file");
    throw error;
  }
}

/** In parts and not by its size, which may grow in the meantime. */
async function readUpTo(handle: FileHandle, most: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for (;;) {
    const size = Math.min(PART_BYTES, most - length);
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(size), 0, size);
    if (bytesRead === 0) return Buffer.concat(parts, length);
    parts.push(buffer.subarray(0, bytesRead));
    length += bytesRead;
  }
}

function parseUtf8(bytes: Buffer, name: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    // The decoder says no more than that.
    throw manifestInvalid(name, "it is not UTF-8 text");
  }
}
