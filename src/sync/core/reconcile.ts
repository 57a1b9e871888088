import { compareTrees } from "./compare.ts";
import { type Plan, planSteps, type Wanted } from "./plan.ts";
import { type Entry, listParents, type Tree } from "./tree.ts";

/** `ancestor`: what both sides held alike when they were last compared. */
export type Trees = { readonly ancestor: Tree; readonly local: Tree; readonly remote: Tree };

/** Whose version of a conflict both sides are to have; null: neither's, and it stays one. */
export type Preference = "local" | "remote" | null;

/** What makes both sides the same again, as far as that can be had without losing anything. */
export type Reconciliation = {
  readonly toLocal: Plan;
  readonly toRemote: Plan;
  /** Changed on both sides, differently: neither side is touched there. */
  readonly conflicts: readonly string[];
  /** Removed on one side and changed on the other: the change goes back to where it was removed. */
  readonly revived: readonly string[];
};

/**
 * Three trees in, a plan out. What one side alone changed goes to the other. A removal gives way to a change. Where one
 * side changed a file's bytes and the other its executable bit, both come out. Whatever else both sides changed is a
 * conflict, which stops its own path alone.
 */
export function reconcile(trees: Trees, prefer: Preference = null): Reconciliation {
  const { ancestor, local, remote } = trees;
  const compared = compareTrees(ancestor, local, remote);
  const isClash = findClashes(trees);
  const agreed: { readonly path: string; readonly entry: Entry }[] = [];
  const conflicts: string[] = [];
  for (const path of compared.conflicts) {
    const entry = isClash(path) ? undefined : merge(trees, path);
    if (entry === undefined) conflicts.push(path);
    else agreed.push({ path, entry });
  }
  const [fromLocal, fromRemote] = settle(conflicts, prefer);
  return {
    toLocal: planSteps([...want([...compared.remote, ...fromRemote], remote), ...agreed], local),
    toRemote: planSteps([...want([...compared.local, ...fromLocal], local), ...agreed], remote),
    conflicts: prefer === null ? conflicts : [],
    revived: agreed.map(({ path }) => path).filter((path) => !local.has(path) || !remote.has(path)),
  };
}

/** The conflicts that are settled by the local version, and those by the remote one. */
function settle(
  conflicts: readonly string[],
  prefer: Preference,
): readonly [readonly string[], readonly string[]] {
  return [prefer === "local" ? conflicts : [], prefer === "remote" ? conflicts : []];
}

/** What both sides are to have; undefined: they cannot agree. */
function merge({ ancestor, local, remote }: Trees, path: string): Entry | undefined {
  const [before, here, there] = [ancestor.get(path), local.get(path), remote.get(path)];
  if (here === undefined || there === undefined) return here ?? there;
  if (before?.kind !== "file" || here.kind !== "file" || there.kind !== "file") return undefined;
  // Bytes and executable bit change independently of each other.
  const hash = pick(before.hash, here.hash, there.hash);
  const executable = pick(before.executable, here.executable, there.executable);
  if (hash === undefined || executable === undefined) return undefined;
  return { kind: "file", hash, executable };
}

/** What the one side that changed it made of it; undefined: both did, differently. */
function pick<T>(before: T, here: T, there: T): T | undefined {
  if (here === there || there === before) return here;
  return here === before ? there : undefined;
}

/** Whether one side has a file where the other has a folder: nothing that is put at either path could stay. */
function findClashes({ local, remote }: Trees): (path: string) => boolean {
  const folders = new Set([...local.keys(), ...remote.keys()].flatMap(listParents));
  return (path) =>
    folders.has(path) ||
    listParents(path).some((parent) => local.has(parent) || remote.has(parent));
}

function want(paths: readonly string[], tree: Tree): readonly Wanted[] {
  return paths.map((path) => ({ path, entry: tree.get(path) }));
}
