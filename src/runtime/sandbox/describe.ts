import type { Isolation } from "./detect.ts";

/** One line for people and programs: how processes are kept apart, and by what. */
export function describe(isolation: Isolation): string {
  if (isolation.kind === "ports") return `ports: ${isolation.why}`;
  const filter = isolation.hasFilter ? "system calls filtered" : "system calls not filtered";
  return `isolated (${isolation.tool}): files, processes, network, memory and names of its own, no powers, ${filter}`;
}
