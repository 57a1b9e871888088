import type { Registry } from "../live/registry.ts";
import type { EngineContext } from "../machine/context.ts";
import { listLeftovers, mendLeftovers } from "./leftovers.ts";
import type { Leftover, Owners } from "./leftovers.ts";
import { listStaleBindings, removeStaleBindings } from "./stale-bindings.ts";

/** What no environment owns, with bindings that lead nowhere. */
export async function listAllLeftovers(
  context: EngineContext,
  registry: Registry,
  passing: Pick<Owners, "busy" | "spares">,
): Promise<readonly Leftover[]> {
  const owners = { environments: registry.list(null), ...passing };
  const bindings = await listStaleBindings(context.layout, owners, registry.appFolders());
  return [...(await listLeftovers(context, owners)), ...bindings];
}

export async function mendAllLeftovers(
  context: EngineContext,
  leftovers: readonly Leftover[],
): Promise<void> {
  await mendLeftovers(context, leftovers);
  await removeStaleBindings(leftovers);
}
