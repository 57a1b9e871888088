import { isLeftOut } from "../core/left-out.ts";
import { isPlainPath, leadsInside } from "../core/paths.ts";
import type { Plan } from "../core/plan.ts";
import { syncOutside } from "../disk/problems.ts";
import { nameAsides } from "./aside.ts";
import type { Step } from "./take-step.ts";

/** Removals first, each with a name for what lies aside of it. */
export function toSteps({ removals, puts }: Plan): readonly Step[] {
  const steps = [...removals.map((step) => ({ ...step, entry: undefined })), ...puts];
  const asides = nameAsides(steps.map(({ path: name }) => name));
  return steps.map((step, index) => ({ ...step, aside: asides[index] ?? "" }));
}

/** Whether the bytes stand there already, and only whether they can be run is to change. */
export function hasBytes({ entry, expected }: Step): boolean {
  return entry?.kind === "file" && expected?.kind === "file" && entry.hash === expected.hash;
}

/** Files that are removed, by the hash of what they hold: what gets another name is among them. */
export function findRemoved(steps: readonly Step[]): ReadonlyMap<string, string> {
  return new Map(
    steps.flatMap((step) => {
      const { path: name, entry, expected } = step;
      const isFile = entry === undefined && expected?.kind === "file" && isInside(step);
      return isFile ? [[expected.hash, name] as const] : [];
    }),
  );
}

/** Whoever made the plan, nothing leaves the tree or touches what is no part of it. */
export function requireInside(step: Step): void {
  if (!isInside(step)) throw syncOutside(step.path);
}

export function isInside({ path: name, entry }: Step): boolean {
  const isPart = isPlainPath(name) && !name.split("/").some(isLeftOut);
  return isPart && (entry?.kind !== "link" || leadsInside(name, entry.target));
}
