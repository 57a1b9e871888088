import type { Database } from "../../database/database.ts";
import type { EnvironmentId } from "../../environment/environment.ts";
import type { LiveEnvironment } from "../live/live-environment.ts";
import type { Registry } from "../live/registry.ts";
import type { EngineContext } from "../machine/context.ts";

/** Undefined: the source is not there any more, or has no database. */
export function findSourceDatabase(
  { layout }: EngineContext,
  registry: Registry,
  id: EnvironmentId,
): Database | undefined {
  const live = registry.findById(id);
  const record = live?.record.database ?? null;
  if (live === undefined || record === null) return undefined;
  return { place: placeOfSource({ layout }, live), record };
}

export function placeOfSource(
  { layout }: Pick<EngineContext, "layout">,
  { record, manifests }: LiveEnvironment,
): Database["place"] {
  return layout.databasePlace(record, manifests.known?.grants.limits);
}
