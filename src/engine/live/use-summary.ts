import type { Pressure } from "../../limits/limits.ts";
import type { ProcessUse } from "../../process/process.ts";

/** What an environment takes of the machine, its database included. */
export type UseSample = {
  readonly memoryBytes: number;
  readonly processes: number;
  /** Processors' worth of time since the look before. */
  readonly cpu: number;
  /** Requests a second since the look before. */
  readonly requestsPerSecond: number;
  /** Written to disks within the last minute. */
  readonly writtenBytes: number;
  /** How long its processes wait for what they are bound in; null: the machine does not tell. */
  readonly pressure: Pressure | null;
};

export const NO_USE: UseSample = {
  memoryBytes: 0,
  processes: 0,
  cpu: 0,
  requestsPerSecond: 0,
  writtenBytes: 0,
  pressure: null,
};

/** What one look has seen of one environment. */
export type Look = { readonly uses: readonly ProcessUse[]; readonly atMs: number };

/** How much each counter has risen, summed up; what is new has risen by all that it says. */
export function sumRises(
  before: readonly ProcessUse[],
  after: readonly ProcessUse[],
  counter: "cpuMs" | "writtenBytes",
): number {
  const known = new Map(before.map((use) => [use.id, use[counter]]));
  const rises = after.map((use) => Math.max(0, use[counter] - (known.get(use.id) ?? 0)));
  return sum(rises);
}

/** Those that its limits are for: its processes and their keeper, not its database. */
export function ofRuntime(uses: readonly ProcessUse[]): readonly ProcessUse[] {
  return uses.filter(({ mark }) => mark.split(".")[2] === "runtime");
}

/** By the environment's id, which a mark names. */
export function groupByEnvironment(
  uses: readonly ProcessUse[],
): ReadonlyMap<string, readonly ProcessUse[]> {
  return Map.groupBy(uses, ({ mark }) => mark.split(".")[1] ?? "");
}

export type Culprit = { readonly name: string; readonly pid: number; readonly amount: number };

export function findLargest(uses: readonly ProcessUse[]): Culprit | undefined {
  const [largest] = uses.toSorted((one, other) => other.memoryBytes - one.memoryBytes);
  return largest && { name: largest.name, pid: largest.pid, amount: largest.memoryBytes };
}

/** The program of which there are most, counted with its threads. */
export function findMostNumerous(uses: readonly ProcessUse[]): Culprit | undefined {
  const groups = [...Map.groupBy(uses, ({ name }) => name).values()];
  const counted = groups.map((group) => ({ group, amount: sum(group.map(({ tasks }) => tasks)) }));
  const [most] = counted.toSorted((one, other) => other.amount - one.amount);
  const [first] = most?.group ?? [];
  return most && first && { name: first.name, pid: first.pid, amount: most.amount };
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}
