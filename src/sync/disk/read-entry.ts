import { createHash } from "node:crypto";

import type { Entry } from "../core/tree.ts";
import type { Disk, Place } from "./disk.ts";

/** What stands there; undefined for nothing, a folder, and what is neither a file nor a link. */
export async function readEntry(
  disk: Disk,
  place: Place,
  seen = disk.see(place),
): Promise<Entry | undefined> {
  if (seen?.kind === "link") {
    const target = disk.readLink(place);
    return target === undefined ? undefined : { kind: "link", target };
  }
  if (seen?.kind !== "file") return undefined;
  return { kind: "file", hash: await hashFile(disk, place), executable: seen.executable };
}

async function hashFile(disk: Disk, place: Place): Promise<string> {
  const hash = createHash("sha256");
  for (const part of disk.read(place)) {
    hash.update(part);
    await disk.breathe();
  }
  return hash.digest("hex");
}
