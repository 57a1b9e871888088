import { releaseReach } from "./home/reach.ts";
import type { EngineContext } from "./machine/context.ts";
import { endWayOut } from "./processes/way-out.ts";

/** Nobody is left who would need what all environments of a home share: their way out, their control groups, the link to the home. */
export async function endShared({ layout, groups }: EngineContext): Promise<void> {
  await endWayOut(layout);
  await groups?.clear();
  await releaseReach(layout.home, layout.home);
}
