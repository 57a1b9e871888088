import { formatWayOutMark, MARK_VARIABLE } from "../environment/places.ts";
import { endMarked } from "../process/process.ts";
import { requireDialer } from "../runtime/runtime.ts";
import type { EngineContext } from "./context.ts";
import { rememberIsolation } from "./isolation.ts";
import type { Layout } from "./layout.ts";

const GRACE_MS = 2_000;

/** What environments that are sealed off need of the machine. */
export function rememberSealing(
  layout: Layout,
  program: readonly string[],
): Pick<EngineContext, "isolation" | "wayOut"> {
  return { isolation: rememberIsolation(), wayOut: rememberWayOut(layout, program) };
}

/** One start at a time: two that begin at once would take each other's socket away. */
function rememberWayOut(layout: Layout, program: readonly string[]): EngineContext["wayOut"] {
  const place = {
    socket: layout.wayOut,
    log: layout.wayOutLog,
    mark: formatWayOutMark(layout.home.id),
  };
  let starting: Promise<void> | undefined;
  return async () => {
    starting ??= requireDialer(place, program).finally(() => {
      starting = undefined;
    });
    await starting;
  };
}

/** Nobody is left who would go out by it. */
export async function endWayOut(layout: Layout): Promise<void> {
  await endMarked(MARK_VARIABLE, formatWayOutMark(layout.home.id), { graceMs: GRACE_MS });
}
