import { lstatSync } from "node:fs";
import { readdir, rename } from "node:fs/promises";
import path from "node:path";

import { allDone } from "../../base/all-done.ts";
import { syncFolder } from "../../base/write-atomically.ts";
import type { DatabasePlace } from "../../environment/places.ts";
import { giveTo } from "../place/owned-files.ts";

/** First what its user has becomes the other's, then one rename is the move. */
export async function moveFolder(from: DatabasePlace, to: DatabasePlace): Promise<void> {
  if (to.uid !== from.uid) await giveTree(from.folder, { from: from.uid, to: to.uid });
  await rename(from.folder, to.folder);
  await allDone([from, to].map(async ({ folder }) => syncFolder(path.dirname(folder))));
}

type Owners = { readonly from: number | null; readonly to: number | null };

/**
 * The folder itself last: until then its new user cannot enter it, and swap for a link what is about to be given away. What
 * is our own in it, its settings, stays so.
 */
async function giveTree(folder: string, owners: Owners): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) await giveTree(file, owners);
    else giveIfTheirs(file, owners);
  }
  giveIfTheirs(folder, owners);
}

function giveIfTheirs(file: string, { from, to }: Owners): void {
  if (lstatSync(file).uid === from) giveTo(file, to);
}
