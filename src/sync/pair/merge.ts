import type { Problem } from "../../base/problem.ts";
import { findHalt } from "../core/halt.ts";
import type { Plan } from "../core/plan.ts";
import { type Preference, reconcile } from "../core/reconcile.ts";
import { syncEmptied, syncRemovals } from "../disk/problems.ts";
import type { LookOptions } from "../side/side.ts";
import type { Pair } from "./pair.ts";

export type MergeOptions = Pick<LookOptions, "scope"> & {
  readonly prefer: Preference;
  /** Whether something is known to have removed many files at once, such as a switch of branches. */
  readonly mayRemoveMany: boolean;
  /** Asked once both sides have been read: whether they were at rest meanwhile. If not, nothing is done. */
  readonly isAtRest: () => boolean;
};

export type Merged = {
  /** Paths that were written or removed in the workspace, and those in the environment. */
  readonly toLocal: readonly string[];
  readonly toRemote: readonly string[];
  readonly conflicts: readonly string[];
  /** Removed on one side, changed on the other, and therefore back on both. */
  readonly revived: readonly string[];
  /** What could not be brought in order now, by path. */
  readonly left: ReadonlyMap<string, Problem>;
  /** Where what stood in the workspace is kept; null when nothing was displaced there. */
  readonly displaced: string | null;
};

/**
 * Brings each side what the other changed. undefined: they were not at rest.
 * @throws `sync_emptied`, `sync_removals` before anything is touched; `disk_full`
 */
export async function mergePair(pair: Pair, options: MergeOptions): Promise<Merged | undefined> {
  if (!(await pair.look(options.scope)) || !options.isAtRest()) return undefined;
  const { toLocal, toRemote, conflicts, revived } = reconcile(pair.differing(), options.prefer);
  assertAsked(pair, { toLocal, toRemote }, options);
  const local = await pair.apply(toLocal, "local");
  const remote = await pair.apply(toRemote, "remote");
  if (countSteps(toLocal) + countSteps(toRemote) > 0) await pair.commit();
  return {
    toLocal: [...local.done.keys()].toSorted(),
    toRemote: [...remote.done.keys()].toSorted(),
    conflicts,
    revived,
    left: new Map([...pair.unknown(), ...local.left, ...remote.left]),
    displaced: local.displaced,
  };
}

function assertAsked(
  { trees }: Pair,
  { toLocal, toRemote }: { readonly toLocal: Plan; readonly toRemote: Plan },
  { mayRemoveMany }: MergeOptions,
): void {
  const sides = [
    { side: "workspace", other: "environment", plan: toLocal, from: trees.remote, to: trees.local },
    {
      side: "environment",
      other: "workspace",
      plan: toRemote,
      from: trees.local,
      to: trees.remote,
    },
  ] as const;
  for (const { side, other, plan, from, to } of sides) {
    const halt = findHalt(plan, { from, to });
    if (halt?.kind === "emptied") throw syncEmptied(other, halt.count);
    if (halt?.kind === "removals" && !mayRemoveMany) throw syncRemovals(side, halt);
  }
}

function countSteps({ removals, puts }: Plan): number {
  return removals.length + puts.length;
}
