import { createHash } from "node:crypto";

import type { Entry } from "../core/tree.ts";
import type { Disk, Place } from "../disk/disk.ts";
import { changedMeanwhile } from "../disk/problems.ts";
import type { Contents } from "./side.ts";

export type Staging = {
  readonly to: Place;
  readonly path: string;
  readonly entry: Extract<Entry, { kind: "file" }>;
  readonly parts: ReturnType<Contents["read"]>;
};

/** Makes aside what the scan saw on the other side. @throws `sync_conflict` when it is not so any more */
export async function stageFile(disk: Disk, { to, path, entry, parts }: Staging): Promise<void> {
  const hash = createHash("sha256");
  const file = disk.write(to, entry.executable);
  try {
    for await (const part of parts) {
      hash.update(part);
      file.write(part);
      await disk.breathe();
    }
  } finally {
    file.close();
  }
  if (hash.digest("hex") !== entry.hash) throw changedMeanwhile(path);
}
