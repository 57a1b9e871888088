import type { RuntimeLimits } from "../environment/manifest.ts";

export type Machine = { readonly memoryBytes: number; readonly processors: number };

/** `null`: as much of it as there is. */
export type Limits = {
  readonly memoryBytes: number;
  readonly cpus: number;
  readonly processes: number;
  readonly diskBytes: number | null;
};

/** What control groups can bound. */
export const CONTROLLERS = ["memory", "cpu", "pids"] as const;
export type Controller = (typeof CONTROLLERS)[number];

/** What an environment's processes take, and what its control groups, if any, have kept from them. */
export type Use = {
  readonly memoryBytes: number;
  readonly tasks: number;
  /** null: not measured lately. */
  readonly diskBytes: number | null;
  /** What the kernel has ended of it for want of memory, and forks that it has refused, since the last look. */
  readonly kills: number;
  readonly refusals: number;
  /** Which limits its control groups hold: those are not judged by what a look sees. */
  readonly held: ReadonlySet<Controller>;
  /** Which process has most of it; and which had, of those that were there at the last look and have gone. */
  readonly largest: Culprit | undefined;
  readonly largestGone: Culprit | undefined;
  readonly busiest: Culprit | undefined;
};

export type Culprit = { readonly name: string; readonly pid: number; readonly amount: number };

export type Excess = {
  readonly limit: "memory" | "processes" | "disk";
  readonly most: number;
  /** What was seen; null: the kernel has kept it from going over. */
  readonly seen: number | null;
  readonly culprit: Culprit | undefined;
};

/** Threads count; a browser with all its processes has some hundreds. */
const USUAL_PROCESSES = 4096;

export function settle(asked: RuntimeLimits, machine: Machine): Limits {
  return {
    memoryBytes: asked.memoryBytes ?? Math.floor(machine.memoryBytes / 2),
    cpus: Math.min(asked.cpus ?? machine.processors, machine.processors),
    processes: asked.processes ?? USUAL_PROCESSES,
    diskBytes: asked.diskBytes,
  };
}

export function judge(limits: Limits, use: Use): Excess | undefined {
  return judgeMemory(limits, use) ?? judgeProcesses(limits, use) ?? judgeDisk(limits, use);
}

function judgeMemory({ memoryBytes: most }: Limits, use: Use): Excess | undefined {
  // Who is there when the kernel has ended another is a bystander.
  if (use.held.has("memory"))
    return use.kills > 0
      ? { limit: "memory", most, seen: null, culprit: use.largestGone }
      : undefined;
  if (use.memoryBytes <= most) return undefined;
  return { limit: "memory", most, seen: use.memoryBytes, culprit: use.largest };
}

function judgeProcesses({ processes: most }: Limits, use: Use): Excess | undefined {
  const isOver = use.held.has("pids") ? use.refusals > 0 : use.tasks > most;
  if (!isOver) return undefined;
  const seen = use.held.has("pids") ? null : use.tasks;
  return { limit: "processes", most, seen, culprit: use.busiest };
}

function judgeDisk({ diskBytes: most }: Limits, { diskBytes: seen }: Use): Excess | undefined {
  if (most === null || seen === null || seen <= most) return undefined;
  return { limit: "disk", most, seen, culprit: undefined };
}

/** Parts of what it may take of the processors: from the first on it yields to all others, until it takes less than the second. */
const YIELDING = { fromPart: 0.5, untilPart: 0.25 };

/** Whether others go before it: who takes much of what it may goes on with what they leave. */
export function isToYield({ cpus }: Limits, takenCpus: number, yieldsNow: boolean): boolean {
  const part = takenCpus / cpus;
  return yieldsNow ? part >= YIELDING.untilPart : part >= YIELDING.fromPart;
}

export type Holding = {
  readonly kind: "v1" | "v2";
  readonly controllers: ReadonlySet<Controller>;
};

/** Such as `memory, processors and processes by control groups (v1); disk by a look every second`. */
export function describe(holding: Holding | null): string {
  const held = CONTROLLERS.filter((name) => holding?.controllers.has(name) === true);
  const others = CONTROLLERS.filter((name) => name !== "cpu" && !held.includes(name));
  const looked = `${listWords([...others.map(toWord), "disk"])} by a look every second`;
  const groups =
    holding === null || held.length === 0
      ? []
      : [`${listWords(held.map(toWord))} by control groups (${holding.kind})`];
  return [...groups, ...(held.includes("cpu") ? [] : [CPU_BY_PRIORITY]), looked].join("; ");
}

/** What is said where nothing can bound it. */
const CPU_BY_PRIORITY = "processors by priority alone";

function toWord(controller: Controller): string {
  return { memory: "memory", cpu: "processors", pids: "processes" }[controller];
}

function listWords(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}
