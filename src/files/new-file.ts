import { closeSync, openSync, writeFileSync } from "node:fs";

/** A file that was not there; whoever needs it durable flushes it. */
export function writeNewFile(file: string, bytes: string | Uint8Array): void {
  const fd = openSync(file, "wx", 0o600);
  try {
    writeFileSync(fd, bytes);
  } finally {
    closeSync(fd);
  }
}
