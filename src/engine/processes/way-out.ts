import { formatWayOutMark, MARK_VARIABLE } from "../../environment/places.ts";
import { endMarked } from "../../process/process.ts";
import { requireDialer } from "../../runtime/runtime.ts";
import type { Layout } from "../home/layout.ts";
import type { EngineContext, EngineOptions } from "../machine/context.ts";
import { isProxyVariable } from "./environment-sandbox.ts";
import { rememberIsolation } from "./isolation.ts";

const GRACE_MS = 2_000;

/** What environments that are sealed off need of the machine. */
export function rememberSealing(
  layout: Layout,
  { inherited }: Pick<EngineOptions, "inherited">,
): Pick<EngineContext, "isolation" | "wayOut"> {
  const environment = Object.fromEntries(
    Object.entries(inherited).filter(([name]) => isProxyVariable(name)),
  );
  return {
    isolation: rememberIsolation(),
    wayOut: rememberWayOut(layout, environment),
  };
}

/** One start at a time: two that begin at once would take each other's socket away. */
function rememberWayOut(
  layout: Layout,
  environment: Readonly<Record<string, string>>,
): EngineContext["wayOut"] {
  const place = {
    socket: layout.wayOut,
    log: layout.wayOutLog,
    mark: formatWayOutMark(layout.home.id),
    environment,
  };
  let starting: Promise<void> | undefined;
  return async () => {
    starting ??= requireDialer(place).finally(() => {
      starting = undefined;
    });
    await starting;
  };
}

/** Nobody is left who would go out by it. */
export async function endWayOut(layout: Layout): Promise<void> {
  await endMarked(MARK_VARIABLE, formatWayOutMark(layout.home.id), { graceMs: GRACE_MS });
}
