import { isoTime } from "../../base/clock.ts";
import { explainDiskFull } from "../../base/disk-full.ts";
import { messageOf } from "../../base/problem.ts";
import { UndoStack } from "../../base/undo-stack.ts";
import type { EnvironmentRecord } from "../../environment/environment.ts";
import { nothingReplaced } from "../../environment/problems.ts";
import type { LiveEnvironment } from "../live/live-environment.ts";
import type { EngineContext } from "../machine/context.ts";
import { removeUnowned } from "../parts/generations.ts";
import { listResetSteps } from "../parts/preparation.ts";
import { makeReplacement } from "./replacement.ts";
import type { Replaced, Resetting } from "./replacement.ts";

/**
 * Gives an environment its source's present rows, in a database folder of their own, made while the old one is still
 * served. The record that names it is the commit: until then the old database is the environment's, and kept after it.
 * Its migrations are still to be run.
 */
export async function resetDatabase(
  resetting: Resetting,
  source: LiveEnvironment,
): Promise<Replaced> {
  const { context, live, options } = resetting;
  await removeUnowned(context, live.record);
  const undo = new UndoStack();
  undo.push(async () => removeUnowned(context, live.record));
  try {
    const generation = nextGeneration(live.record);
    const { database, ...made } = await makeReplacement(resetting, source, generation);
    options.signal.throwIfAborted();
    const remaining = await listResetSteps(live.record, await live.manifest());
    await commit(resetting, { database, generation, remaining, state: { kind: "preparing" } });
    undo.keep();
    return made;
  } catch (error) {
    await undo.undo();
    throw explainDiskFull(error, context.layout.data);
  }
}

/** Takes back what the last reset replaced; what is there now is kept in its place. @throws `nothing_replaced` */
export async function undoReset(resetting: Resetting): Promise<Replaced> {
  const { name, replaced } = resetting.live.record;
  if (replaced === null) throw nothingReplaced(name);
  const { database, generation, remaining } = replaced;
  const state = { kind: remaining.length === 0 ? "asleep" : "preparing" } as const;
  await commit(resetting, { database, generation, remaining, state });
  return { fork: null, ms: 0 };
}

/** Ends the old one's processes and sessions, then names the new one. */
async function commit(
  { context, live }: Resetting,
  change: Pick<EnvironmentRecord, "database" | "generation" | "remaining" | "state">,
): Promise<void> {
  await context.checkpoint("before switch");
  await live.changeDatabase(async () => {
    await context.checkpoint("before record");
    await live.save({
      ...change,
      missingMigrations: [],
      replaced: replacedBy(context, live.record),
    });
    await context.checkpoint("after record");
  });
  await letGo(context, live);
}

/** What cannot be removed now is a leftover: the next start, or doctor, tries again. */
async function letGo(context: EngineContext, live: LiveEnvironment): Promise<void> {
  try {
    await removeUnowned(context, live.record);
  } catch (error) {
    live.note(`an earlier database could not be removed: ${messageOf(error)}`);
  }
}

function replacedBy(
  { clock }: EngineContext,
  { database, generation, remaining }: EnvironmentRecord,
): EnvironmentRecord["replaced"] {
  return database === null ? null : { database, generation, remaining, replacedAt: isoTime(clock) };
}

function nextGeneration({ generation, replaced }: EnvironmentRecord): number {
  return Math.max(generation, replaced?.generation ?? 0) + 1;
}
