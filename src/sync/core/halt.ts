import type { Plan } from "./plan.ts";
import type { Entry, Tree } from "./tree.ts";

/** Why a plan is not carried out unasked. */
export type Halt =
  /** The other side holds nothing at all any more: it is rather out of reach than empty. */
  | { readonly kind: "emptied"; readonly count: number }
  | { readonly kind: "removals"; readonly count: number; readonly of: number };

/** So few can be got back by hand. */
const FEW = 20;
/** A side of at least so many files is not emptied in the course of work. */
const MANY = 2;
const MOST_SHARE = 0.3;

/** @param to the side that the plan changes; @param from the other one. undefined: nothing speaks against it. */
export function findHalt(plan: Plan, { from, to }: { from: Tree; to: Tree }): Halt | undefined {
  const count = countGone(plan);
  if (from.size === 0 && to.size >= MANY && count > 0) return { kind: "emptied", count };
  if (count > Math.max(FEW, to.size * MOST_SHARE)) return { kind: "removals", count, of: to.size };
  return undefined;
}

/** Whatever comes back under another name was moved, and is not gone. */
function countGone({ removals, puts }: Plan): number {
  const put = new Set(puts.map(({ entry }) => nameContent(entry)));
  return removals.filter(({ expected }) => !put.has(nameContent(expected))).length;
}

function nameContent(entry: Entry): string {
  if (entry.kind === "folder") return "folder";
  return entry.kind === "file" ? entry.hash : `link to ${entry.target}`;
}
