import { createHash } from "node:crypto";
import { chmod, mkdir, readdir, rm, stat, symlink } from "node:fs/promises";
import path from "node:path";

import { hasErrorCode } from "../../base/problem.ts";
import { removeInside } from "../../base/remove-inside.ts";
import { isRoot } from "./users.ts";

/** Where the homes of root's servers have what other users must reach, when their own folder lies where others may not go. */
const SHARED_HOMES = "/var/lib/ramet/homes";

export type Reach = {
  /** Holds `data`, `bin` and `templates`. */
  readonly shared: string;
  readonly sockets: string;
};

/**
 * As root, databases run as other users, who must be able to reach their folders. A home below a folder that is
 * closed to them, such as one that `mktemp -d` made, keeps those parts elsewhere; a link shows where.
 */
export async function makeReachable(home: {
  readonly folder: string;
  readonly sockets: string;
}): Promise<Reach> {
  if (!isRoot() || (await isOpenToAll(home.folder)))
    return { shared: home.folder, sockets: home.sockets };
  const shared = path.join(
    SHARED_HOMES,
    createHash("sha256").update(home.folder).digest("hex").slice(0, 12),
  );
  for (const folder of [path.dirname(SHARED_HOMES), SHARED_HOMES, shared]) await makeOpen(folder);
  await linkOnce(shared, path.join(home.folder, "shared"));
  return { shared, sockets: path.join(shared, "run") };
}

/** Takes it away again where nothing of it is in use: no environment has its data there. */
export async function releaseReach(
  { shared }: Reach,
  home: { readonly folder: string },
): Promise<void> {
  if (shared === home.folder || (await readdir(path.join(shared, "data"))).length > 0) return;
  await removeReach({ shared }, home);
}

export async function removeReach(
  { shared }: Pick<Reach, "shared">,
  home: { readonly folder: string },
): Promise<void> {
  if (shared === home.folder) return;
  await rm(path.join(home.folder, "shared"), { force: true });
  await removeInside(SHARED_HOMES, shared);
}

/** Whether any user may enter each folder above this one. */
async function isOpenToAll(folder: string): Promise<boolean> {
  const parent = path.dirname(folder);
  if (parent === folder) return true;
  return ((await stat(parent)).mode & 0o001) !== 0 && isOpenToAll(parent);
}

async function makeOpen(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o711 });
  await chmod(folder, 0o711);
}

async function linkOnce(target: string, link: string): Promise<void> {
  try {
    await symlink(target, link);
  } catch (error) {
    if (!hasErrorCode(error, "EEXIST")) throw error;
  }
}
