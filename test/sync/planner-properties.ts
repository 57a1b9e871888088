/** What holds of every plan, whatever trees it is made of. */
import fc from "fast-check";
import { expect } from "vitest";

import { isSameTree, learnCommon } from "../../src/sync/core/compare.ts";
import { type Preference, reconcile } from "../../src/sync/core/reconcile.ts";
import { anyTree, carryOut, isPossible } from "../../src/sync/core/test-trees.ts";
import { type Entry, isSameEntry, listPaths, type Tree } from "../../src/sync/core/tree.ts";

type Three = readonly [ancestor: Tree, local: Tree, remote: Tree];
type Property = { readonly title: string; readonly holds: (...trees: Three) => void };

const ROUNDS = 3;

/** The seed and the smallest trees of which it does not hold; undefined: of so many it held of all. */
export function findFailure(
  { holds }: Property,
  how: { readonly numRuns: number; readonly seed?: number },
): string | undefined {
  return fc.defaultReportMessage(fc.check(fc.property(anyTree, anyTree, anyTree, holds), how));
}

export const PLANNER_PROPERTIES: readonly Property[] = [
  {
    title: "what is planned can be done, and leaves both sides the same but for the conflicts",
    holds: (ancestor, local, remote) => {
      const { toLocal, toRemote, conflicts } = reconcile({ ancestor, local, remote });
      const [here, there] = [carryOut(toLocal, local), carryOut(toRemote, remote)];
      expect([isPossible(here), isPossible(there)]).toEqual([true, true]);
      const differing = listPaths(here, there).filter(
        (path) => !isSameEntry(here.get(path), there.get(path)),
      );
      expect(differing).toEqual(conflicts);
    },
  },
  {
    title: "a conflict changes neither side",
    holds: (ancestor, local, remote) => {
      const { toLocal, toRemote, conflicts } = reconcile({ ancestor, local, remote });
      const touched = [toLocal, toRemote].flatMap(({ removals, puts }) =>
        [...removals, ...puts].map(({ path }) => path),
      );
      expect(touched.filter((path) => conflicts.includes(path))).toEqual([]);
    },
  },
  {
    title:
      "a change that one side alone made is never undone, and nothing goes that nobody removed",
    holds: (ancestor, local, remote) => {
      const plan = reconcile({ ancestor, local, remote });
      for (const { path, expected } of [...plan.toLocal.removals, ...plan.toLocal.puts]) {
        const isTheirs = isSameEntry(expected, ancestor.get(path));
        expect(isTheirs || isOnlyMode(expected, plan.toLocal.puts, path)).toBe(true);
      }
      for (const { path } of plan.toRemote.removals) expect(ancestor.has(path)).toBe(true);
    },
  },
  preferred("local"),
  preferred("remote"),
  {
    title: "without an ancestor nothing is removed, on either side",
    holds: (_, local, remote) => {
      const { toLocal, toRemote } = reconcile({ ancestor: new Map(), local, remote });
      expect([...toLocal.removals, ...toRemote.removals]).toEqual([]);
    },
  },
  {
    title: "with the sides swapped the plan is mirrored",
    holds: (ancestor, local, remote) => {
      const straight = reconcile({ ancestor, local, remote });
      const swapped = reconcile({ ancestor, local: remote, remote: local });
      expect(swapped).toEqual({
        ...straight,
        toLocal: straight.toRemote,
        toRemote: straight.toLocal,
      });
    },
  },
  {
    title: "it comes to rest: what was made the same is left alone from then on",
    holds: (ancestor, local, remote) => {
      let [before, here, there] = [ancestor, local, remote];
      for (let round = 0; round < ROUNDS; round += 1) {
        const plan = reconcile({ ancestor: before, local: here, remote: there });
        [here, there] = [carryOut(plan.toLocal, here), carryOut(plan.toRemote, there)];
        before = learnCommon(before, here, there);
      }
      const { toLocal, toRemote } = reconcile({ ancestor: before, local: here, remote: there });
      const steps = [toLocal, toRemote].flatMap(({ removals, puts }) => [...removals, ...puts]);
      expect(steps).toEqual([]);
    },
  },
];

function preferred(prefer: NonNullable<Preference>): Property {
  return {
    title: `where ${prefer} is preferred both sides come out the same, and conflicts as they are there`,
    holds: (ancestor, local, remote) => {
      const { conflicts } = reconcile({ ancestor, local, remote });
      const plan = reconcile({ ancestor, local, remote }, prefer);
      const [here, there] = [carryOut(plan.toLocal, local), carryOut(plan.toRemote, remote)];
      expect(isSameTree(here, there)).toBe(true);
      expect(isPossible(here)).toBe(true);
      const side = prefer === "local" ? local : remote;
      for (const path of conflicts) expect(here.get(path)).toEqual(side.get(path));
    },
  };
}

/** The bytes are those that stand there, or the executable bit is: the other half is the other side's change. */
function isOnlyMode(
  expected: Entry | undefined,
  puts: readonly { readonly path: string; readonly entry: Entry }[],
  path: string,
): boolean {
  const put = puts.find((one) => one.path === path)?.entry;
  if (expected === undefined) return put !== undefined;
  if (expected.kind !== "file" || put?.kind !== "file") return false;
  return expected.hash === put.hash || expected.executable === put.executable;
}
