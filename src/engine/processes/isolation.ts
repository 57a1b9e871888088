import type { EnvironmentRecord } from "../../environment/environment.ts";
import type { Manifest } from "../../environment/manifest.ts";
import { type Isolation, type Network, detectIsolation } from "../../runtime/runtime.ts";
import { isolationMissing } from "../home/problems.ts";
import { findUserIfThere } from "../home/users.ts";
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

/** Tries out once for each user. */
export function rememberIsolation(): EngineContext["isolation"] {
  const known = new Map<number | null, Promise<Isolation>>();
  return async (user) => {
    const key = user?.uid ?? null;
    const trial = known.get(key) ?? detectIsolation(user);
    known.set(key, trial);
    return trial;
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
