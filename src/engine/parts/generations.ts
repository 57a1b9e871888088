import { readdir } from "node:fs/promises";

import { hasErrorCode } from "../../base/problem.ts";
import { removeInside } from "../../base/remove-inside.ts";
import { stopDatabase } from "../../database/database.ts";
import type { EnvironmentRecord } from "../../environment/environment.ts";
import type { Layout } from "../home/layout.ts";
import type { EngineContext } from "../machine/context.ts";

/** How long what a reset replaced can be had back. */
const KEPT_MS = 24 * 60 * 60_000;

type Owner = Pick<EnvironmentRecord, "id" | "uid" | "generation" | "replaced">;

/** Until when what its last reset replaced can be had back, in milliseconds since 1970; null: there is nothing. */
export function keptUntilMs({ replaced }: Pick<EnvironmentRecord, "replaced">): number | null {
  return replaced === null ? null : Date.parse(replaced.replacedAt) + KEPT_MS;
}

/** Database folders of an environment that its record does not name: of a reset that was cut off, or that are let go. */
export async function listUnowned(layout: Layout, owner: Owner): Promise<readonly number[]> {
  const owned = new Set([owner.generation, owner.replaced?.generation]);
  const there = await listGenerations(layout, owner.id);
  return there.filter((generation) => !owned.has(generation));
}

/** Ends and removes what the record does not name. Not while a reset of it is under way. */
export async function removeUnowned({ layout }: EngineContext, owner: Owner): Promise<void> {
  for (const generation of await listUnowned(layout, owner)) {
    const place = layout.databasePlace({ ...owner, generation });
    await stopDatabase(place);
    await removeInside(layout.folder(owner.id), place.folder);
  }
  await removeInside(layout.home.sockets, layout.resetSockets(owner.id));
}

/** Of every database folder that there is of an environment. */
export async function listGenerations(
  layout: Layout,
  id: EnvironmentRecord["id"],
): Promise<readonly number[]> {
  return (await listIfThere(layout.folder(id))).flatMap((name) => {
    const match = /^database(?:\.(\d+))?$/.exec(name);
    return match === null ? [] : [Number(match[1] ?? 1)];
  });
}

async function listIfThere(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return [];
    throw error;
  }
}
