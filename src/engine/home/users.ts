import { readFile, stat } from "node:fs/promises";

import { hasErrorCode } from "../../base/problem.ts";
import type { EnvironmentRecord } from "../../environment/environment.ts";
import type { SystemUser } from "../../environment/places.ts";
import type { Layout } from "./layout.ts";

/** Uids from here on belong to environments where the server is root; far from people's and from `nobody`. */
const FIRST_ENVIRONMENT_UID = 700_000;

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

export function isEnvironmentUid(uid: number): boolean {
  return uid >= FIRST_ENVIRONMENT_UID;
}

/** One that no environment has; null where the server cannot give any away. */
export function chooseUid(used: readonly number[]): number | null {
  return isRoot() ? Math.max(FIRST_ENVIRONMENT_UID, ...used.map((uid) => uid + 1)) : null;
}

/** As whom an environment's processes run: the linked folder's owner, a kept tree's own uid; null: the server's own user. */
export async function findProcessUser(
  layout: Layout,
  { id, uid, files }: Pick<EnvironmentRecord, "id" | "uid" | "files">,
): Promise<SystemUser | null> {
  if (!isRoot()) return null;
  if (files.kind === "kept")
    return uid === null ? null : { uid, gid: uid, home: layout.userHome(id), name: `ramet-${uid}` };
  const owner = await stat(files.path);
  return owner.uid === 0 ? null : describeUser(owner, layout.userHome(id));
}

/** The same; a linked folder that has gone has no owner. */
export async function findUserIfThere(
  layout: Layout,
  record: Parameters<typeof findProcessUser>[1],
): Promise<SystemUser | null> {
  try {
    return await findProcessUser(layout, record);
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR", "EACCES")) return null;
    throw error;
  }
}

/** Whether its processes run as somebody's account, whose other programs may do to them what they want, where the server does not. */
export function isPersons(
  { files }: Pick<EnvironmentRecord, "files">,
  user: SystemUser | null,
): boolean {
  return files.kind === "linked" && user !== null;
}

/** A user with no line in the password file gets the given home. */
async function describeUser(
  owner: { uid: number; gid: number },
  home: string,
): Promise<SystemUser> {
  const lines = (await readFile("/etc/passwd", "utf8")).split("\n").map((line) => line.split(":"));
  const entry = lines.find((fields) => fields[2] === String(owner.uid));
  return {
    uid: owner.uid,
    gid: Number(entry?.[3] ?? owner.gid),
    home: entry?.[5] ?? home,
    name: entry?.[0] ?? `uid-${owner.uid}`,
  };
}
