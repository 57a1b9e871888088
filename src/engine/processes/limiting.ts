import { release } from "node:os";

import { messageOf } from "../../base/problem.ts";
import type { EnvironmentId, EnvironmentRecord } from "../../environment/environment.ts";
import type { Manifest } from "../../environment/manifest.ts";
import { MARK_VARIABLE } from "../../environment/places.ts";
import {
  type Limits,
  type Pressure,
  describeHolding,
  describeMachine,
  settleLimits,
} from "../../limits/limits.ts";
import { endMarked, holdStill, signalProcess } from "../../process/process.ts";
import { type Bounds, USUAL_BOUNDS } from "../../runtime/runtime.ts";
import type { EngineContext } from "../machine/context.ts";

/** Where the kernel counts a user's processes in each user namespace for itself. */
const COUNTS_BY_NAMESPACE = [5, 14] as const;
/** A look finds that there are too many before the system refuses the next. */
const SPARE_PROCESSES = 64;

/** One file alone may go over what all may take: that is how a look finds it. */
const MOST_OF_ONE_FILE = 1.25;

/** What an environment may take, as it is shown. */
export type LimitsView = Limits & {
  readonly heldBy: string;
  /** How long its processes wait for what they are bound in; null: the machine does not tell. */
  readonly pressure: Pressure | null;
};

export function limitsOf({ limits }: Manifest): Limits {
  return settleLimits(limits, describeMachine());
}

export function describeLimits(
  { groups }: EngineContext,
  manifest: Manifest,
  pressure: Pressure | null,
): LimitsView {
  return { ...limitsOf(manifest), heldBy: describeHolding(groups), pressure };
}

/** What the system itself refuses each of its processes. */
export function planBounds(manifest: Manifest, isInSandbox: boolean): Bounds {
  const { processes, diskBytes } = limitsOf(manifest);
  const isCounted = isInSandbox && isKernel(COUNTS_BY_NAMESPACE);
  return {
    ...USUAL_BOUNDS,
    processes: isCounted ? processes + SPARE_PROCESSES : null,
    fileBytes: diskBytes === null ? null : Math.ceil(diskBytes * MOST_OF_ONE_FILE),
  };
}

/** For a keeper that has just been started: it and all that it will start is held to its limits. */
export function holdKeeper(
  context: EngineContext,
  { id }: Pick<EnvironmentRecord, "id">,
  manifest: Manifest,
): (pid: number) => Promise<void> {
  return async (pid) => {
    if (context.groups === null) return;
    try {
      await context.groups.set(id, limitsOf(manifest));
      await context.groups.put(id, pid);
    } catch (error) {
      // A group that cannot be had now is no reason to run nothing: looks see what it takes.
      context.log(`${id}: no control group holds it: ${messageOf(error)}`);
    }
  };
}

/** Its manifest may say something else than when its keeper was started. */
export async function renewLimits(
  { groups, log }: EngineContext,
  id: EnvironmentId,
  manifest: Manifest,
): Promise<void> {
  await groups
    ?.set(id, limitsOf(manifest))
    .catch((error: unknown) => log(`${id}: its limits stay as they were: ${messageOf(error)}`));
}

/**
 * Ends an environment's processes at once, the keeper with them, which would start others. All that descends from it is held
 * still first: whoever is just becoming another program bears no mark at that moment, and who threw his away none at all.
 */
export async function killAll({ groups, layout }: EngineContext, id: EnvironmentId): Promise<void> {
  const { mark } = layout.runtimePlace(id, null);
  // One that is not there has no members.
  const members = (await groups?.seal(id).catch(() => [])) ?? [];
  const family = await holdStill(MARK_VARIABLE, `${mark}.keeper`);
  for (const pid of new Set([...family, ...members])) signalProcess(pid, "SIGKILL");
  await endMarked(MARK_VARIABLE, `${mark}.keeper`, AT_ONCE);
  await endMarked(MARK_VARIABLE, mark, AT_ONCE);
  await groups?.remove(id);
}

const AT_ONCE = { graceMs: 0 };

function isKernel([major, minor]: readonly [number, number]): boolean {
  const [ours = 0, ourMinor = 0] = release().split(".").map(Number);
  return process.platform === "linux" && (ours > major || (ours === major && ourMinor >= minor));
}
