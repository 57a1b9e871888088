import { monotonicMs, sleep } from "../base/clock.ts";
import { listMarked } from "./marks.ts";
import {
  IS_LINUX,
  type ProcessEntry,
  isGone,
  listProcesses,
  readProc,
  signalIfThere,
} from "./process-table.ts";

/** One that waits for a disk stops once that has answered. */
const LIMIT_MS = 2_000;
const STEP_MS = 2;
/** One look is not of one moment: one that was born after its list, and whose parent ended before it was read, is not in it. */
const LOOKS = 2;

/**
 * Holds all that bear exactly this mark still, and what descends from them: parents before their children, until two looks
 * find none that runs; who stands still starts nobody. Resolves with them, parents first. A process hears nothing of it;
 * one that asks after its children is not told either, unless it asks for those that stand still.
 */
export async function holdStill(variable: string, mark: string): Promise<readonly number[]> {
  const end = monotonicMs() + LIMIT_MS;
  const asked = new Set<number>();
  for (let still = 0; ;) {
    const family = await listFamily(variable, mark);
    const moving = family.filter((pid) => !isStill(pid, asked.has(pid)));
    still = moving.length === 0 ? still + 1 : 0;
    if (still === LOOKS || monotonicMs() > end) return family;
    for (const pid of moving) signalLeniently(pid, "SIGSTOP");
    for (const pid of moving) asked.add(pid);
    await sleep(STEP_MS);
  }
}

/** At once, children before their parents. */
export function letRun(pids: readonly number[]): void {
  for (const pid of pids.toReversed()) signalLeniently(pid, "SIGCONT");
}

async function listFamily(variable: string, mark: string): Promise<readonly number[]> {
  const [marked, entries] = [await listMarked(variable), await listProcesses()];
  const there = new Map(entries.map((entry) => [entry.pid, entry]));
  // One that ended between the two looks is nobody's parent, and its depth is not known.
  const family = new Set(
    marked.filter((one) => one.mark === mark && there.has(one.pid)).map(({ pid }) => pid),
  );
  for (let size = -1; size !== family.size;) {
    size = family.size;
    for (const { pid, parent } of entries) if (family.has(parent)) family.add(pid);
  }
  return [...family].toSorted((one, other) => depthOf(one, there) - depthOf(other, there));
}

function depthOf(pid: number, entries: ReadonlyMap<number, ProcessEntry>): number {
  let depth = 0;
  for (let at = entries.get(pid); at !== undefined && depth < entries.size; depth += 1)
    at = entries.get(at.parent);
  return depth;
}

/**
 * By what /proc says; where there is none, one signal must do. Who was asked and waits within the kernel stops before he
 * does anything else: so does a parent whose child was stopped before it became another program. One that has ended since
 * it was listed calls for another look.
 */
function isStill(pid: number, wasAsked: boolean): boolean {
  if (!IS_LINUX) return wasAsked;
  const text = readProc(`/proc/${pid}/stat`);
  const state = text.charAt(text.lastIndexOf(")") + 2);
  return state === "T" || state === "t" || (wasAsked && state === "D");
}

function signalLeniently(pid: number, signal: NodeJS.Signals): void {
  try {
    signalIfThere(pid, signal);
  } catch (error) {
    // Another user's, such as of a program that changes it: it is not ours to hold.
    if (!isGone(error)) throw error;
  }
}
