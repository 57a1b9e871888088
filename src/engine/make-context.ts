import { messageOf } from "../base/problem.ts";
import { supplyPostgres } from "../database/database.ts";
import { openControlGroups } from "../limits/limits.ts";
import { openHome } from "./home/open-home.ts";
import { Admission } from "./machine/admission.ts";
import { Calm } from "./machine/calm.ts";
import type { EngineContext, EngineOptions } from "./machine/context.ts";
import { Installs } from "./machine/installs.ts";
import { readMemory } from "./machine/memory.ts";
import { SPARE_LIMITS } from "./machine/spare-limits.ts";
import { chooseStandbyLimits } from "./machine/standby-budget.ts";
import { rememberSealing } from "./processes/way-out.ts";

/** Opens the home, and begins to set up the PostgreSQL that new databases run on. */
export async function makeContext(options: EngineOptions): Promise<EngineContext> {
  const layout = await openHome(options);
  const postgres = supplyPostgres({
    folder: layout.postgres,
    templates: layout.templates,
    uid: null,
    bin: options.postgresBin,
  });
  // Side by side with the rest. Whoever makes a database meets its failure; a server without one can still start.
  postgres
    .forNew()
    .catch((error: unknown) => options.log(`PostgreSQL cannot be set up: ${messageOf(error)}`));
  return {
    layout,
    postgres,
    keepers: new Map(),
    calm: new Calm(),
    standbys: chooseStandbyLimits(),
    spares: SPARE_LIMITS,
    installs: new Installs(),
    groups: await openControlGroups(layout.home.id),
    admission: new Admission(async () => readMemory("/proc")),
    ...rememberSealing(layout, options),
    checkpoint: options.checkpoint ?? (() => undefined),
    ...options,
  };
}
