import type { EnvironmentRecord } from "../../environment/environment.ts";
import type { Manifest } from "../../environment/manifest.ts";
import { type Isolation, type Network, detectIsolation } from "../../runtime/runtime.ts";
import { isolationMissing } from "../home/problems.ts";
import { findUserIfThere, isEnvironmentUid } from "../home/users.ts";
import type { EngineContext } from "../machine/context.ts";

/** What decides as whom its processes run, and so how they can be kept apart. */
export type Isolated = Pick<EnvironmentRecord, "id" | "uid" | "files" | "name">;

/** How an environment's processes are kept apart: as its manifest wants it and this machine can. @throws `isolation_missing` */
export async function chooseIsolation(
  context: EngineContext,
  record: Isolated,
  { isolation }: Manifest,
): Promise<Isolation> {
  if (isolation === "off") return SWITCHED_OFF;
  const given = await context.isolation(await findUserIfThere(context.layout, record));
  if (given.kind === "ports" && isolation === "required")
    throw isolationMissing(record.name, given);
  return given;
}

/** Tries out once for each user. What one that an environment has of its own can do, all of these can. */
export function rememberIsolation(detect = detectIsolation): EngineContext["isolation"] {
  const known = new Map<number | null, Promise<Isolation>>();
  let ofOwn: Isolation | undefined;
  return async (user) => {
    const isOwn = user !== null && isEnvironmentUid(user.uid);
    if (isOwn && ofOwn !== undefined) return ofOwn;
    const key = user?.uid ?? null;
    const trial = known.get(key) ?? detect(user);
    known.set(key, trial);
    const found = await trial;
    if (isOwn && found.kind === "isolated") ofOwn = found;
    return found;
  };
}

/** Whether a keeper runs as it is to be. */
export function isOf({ hasOwnNetwork }: Network, isolation: Isolation): boolean {
  return hasOwnNetwork === (isolation.kind === "isolated");
}

const SWITCHED_OFF: Isolation = {
  kind: "ports",
  why: "ramet.json switches isolation off",
  remedy: 'Take "isolation" out of ramet.json.',
};
