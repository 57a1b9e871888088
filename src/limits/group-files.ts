import path from "node:path";

import type { Controller, Limits } from "./judge.ts";

/** A file of the kernel's, and what to write into it. */
export type Setting = { readonly file: string; readonly value: string };

/**
 * Where groups can be made: one place for all controllers (v2), or one for each (v1). A place is what all groups' paths begin
 * with. They lie beside what else the machine runs, in no folder of ours: that would weigh no more than a single program, with
 * all that is in it, and whoever goes behind others would go behind those in it alone.
 */
export type Hierarchy = {
  readonly kind: "v1" | "v2";
  readonly places: ReadonlyMap<Controller, string>;
  /** Where the processor time that a group has taken is counted; null: nowhere. */
  readonly accounts: string | null;
};

const PERIOD_US = 100_000;
/** The kernel takes no less of a period. */
const LEAST_QUOTA_US = 1_000;

export function groupAt(place: string, name: string): string {
  return `${place}${name}`;
}

/** What bounds a group, as far as its hierarchy can. */
export function planSettings(
  { kind, places }: Hierarchy,
  name: string,
  limits: Limits,
): readonly Setting[] {
  return [...places].flatMap(([controller, place]) =>
    listSettings(kind, controller, limits).map(([file, value]) => ({
      file: path.join(groupAt(place, name), file),
      value,
    })),
  );
}

function listSettings(
  kind: Hierarchy["kind"],
  controller: Controller,
  { memoryBytes, processes, cpus }: Limits,
): readonly (readonly [file: string, value: string])[] {
  const quota = String(Math.max(LEAST_QUOTA_US, Math.round(cpus * PERIOD_US)));
  if (controller === "pids") return [["pids.max", String(processes)]];
  if (controller === "memory")
    return [[kind === "v1" ? "memory.limit_in_bytes" : "memory.max", String(memoryBytes)]];
  if (kind === "v2") return [["cpu.max", `${quota} ${PERIOD_US}`]];
  return [
    ["cpu.cfs_period_us", String(PERIOD_US)],
    ["cpu.cfs_quota_us", quota],
  ];
}

/** Where the kernel counts what it has kept from a group. */
export function listEventFiles(
  { kind, places }: Hierarchy,
  name: string,
): { readonly kills: string | null; readonly refusals: string | null } {
  const memory = places.get("memory");
  const pids = places.get("pids");
  const kills = kind === "v1" ? "memory.oom_control" : "memory.events";
  return {
    kills: memory === undefined ? null : path.join(groupAt(memory, name), kills),
    refusals: pids === undefined ? null : path.join(groupAt(pids, name), "pids.events"),
  };
}

/** Where it counts the processor time that it took, and how much a millisecond is there. */
export function describeAccount({ kind, accounts }: Hierarchy, name: string): Account | null {
  if (accounts === null) return null;
  const group = groupAt(accounts, name);
  if (kind === "v1") return { file: path.join(group, "cpuacct.usage"), perMs: 1e6 };
  return { file: path.join(group, "cpu.stat"), perMs: 1e3 };
}

export type Account = { readonly file: string; readonly perMs: number };

/** A number alone (v1), or the one behind `usage_usec`. */
export function parseUsage(text: string): number {
  return Number(/^(?:usage_usec )?(\d+)$/m.exec(text)?.[1] ?? 0);
}

/** The count behind a word, in lines of `word count`. */
export function parseCount(text: string, word: string): number {
  return Number(new RegExp(`^${word} (\\d+)$`, "m").exec(text)?.[1] ?? 0);
}

/** `some avg10=1.25 avg60=… total=…`: the part of the last ten seconds; undefined: it says none. */
export function parsePressure(text: string): number | undefined {
  const [, percent] = /^some avg10=([\d.]+)/m.exec(text) ?? [];
  return percent === undefined ? undefined : Number(percent) / 100;
}

/** Lines of /proc/self/mountinfo: `id parent device root point options … - type source superoptions`. */
export type Mounted = { readonly point: string; readonly type: string; readonly options: string };

export function parseMounts(text: string): readonly Mounted[] {
  return text.split("\n").flatMap((line) => {
    const [before = "", after = ""] = line.split(" - ");
    const point = before.split(" ")[4];
    const [type = "", , options = ""] = after.split(" ");
    return point === undefined || !type.startsWith("cgroup") ? [] : [{ point, type, options }];
  });
}

/** Our own place in the one hierarchy of v2: the path behind `0::`. */
export function parseOwnPath(text: string): string {
  return /^0::(.*)$/m.exec(text)?.[1] ?? "/";
}

/** A folder and all above it, down from the top. */
export function listAncestors(top: string, own: string): readonly string[] {
  const parts = own.split("/").filter((part) => part !== "" && part !== "..");
  return [top, ...parts.map((_, index) => path.join(top, ...parts.slice(0, index + 1)))];
}
