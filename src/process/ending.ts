import { monotonicMs, sleep } from "../base/clock.ts";
import { listMarked } from "./marks.ts";
import { processStuck } from "./problems.ts";
import { isGone, listProcesses, signalIfThere } from "./process-table.ts";

/** How long after SIGKILL the kernel may take to be rid of a process. */
const KILL_LIMIT_MS = 10_000;
const FIRST_STEP_MS = 4;
const LONGEST_STEP_MS = 100;

/** SIGTERM to the group, SIGKILL after the grace; its leader may be gone already. @throws `process_stuck` */
export async function endGroup(
  group: number,
  options: { readonly graceMs: number },
): Promise<void> {
  if (!signalIfThere(-group, 0)) return;
  await endAll({
    graceMs: options.graceMs,
    find: async () => (signalIfThere(-group, 0) ? findTwice(() => findMembers(group)) : []),
    signal: (signal) => {
      signalIfThere(-group, signal);
    },
  });
}

/** @throws `process_stuck` */
export async function endMarked(
  variable: string,
  mark: string,
  options: { readonly graceMs: number },
): Promise<void> {
  await endAll({
    graceMs: options.graceMs,
    find: () =>
      findTwice(async () =>
        (await listMarked(variable)).filter((one) => one.mark === mark).map(({ pid }) => pid),
      ),
    signal: (signal, pids) => {
      for (const pid of pids) signalLeniently(pid, signal);
    },
  });
}

/** Those of the group that live; a dead leader that its parent has not waited for yet is none. */
export async function findMembers(group: number): Promise<readonly number[]> {
  return (await listProcesses()).filter((entry) => entry.group === group).map(({ pid }) => pid);
}

/** A look is not of one moment: one that was born after its list, and whose parent ended before it was read, is not in it. */
async function findTwice(find: () => Promise<readonly number[]>): Promise<readonly number[]> {
  const first = await find();
  return first.length > 0 ? first : find();
}

type Ending = {
  readonly graceMs: number;
  readonly find: () => Promise<readonly number[]>;
  readonly signal: (signal: NodeJS.Signals, pids: readonly number[]) => void;
};

async function endAll({ graceMs, find, signal }: Ending): Promise<void> {
  const begun = monotonicMs();
  const asked = new Set<number>();
  let stepMs = FIRST_STEP_MS;
  for (;;) {
    const pids = await find();
    if (pids.length === 0) return;
    const passedMs = monotonicMs() - begun;
    if (passedMs > graceMs + KILL_LIMIT_MS) throw processStuck(pids);
    if (passedMs >= graceMs) signal("SIGKILL", pids);
    else askToEnd(pids, asked, signal);
    await sleep(Math.max(1, passedMs < graceMs ? Math.min(stepMs, graceMs - passedMs) : stepMs));
    stepMs = Math.min(stepMs * 2, LONGEST_STEP_MS);
  }
}

/** Each is asked once, also one that was born meanwhile; a stopped one must run on to hear it. */
function askToEnd(pids: readonly number[], asked: Set<number>, signal: Ending["signal"]): void {
  const fresh = pids.filter((pid) => !asked.has(pid));
  if (fresh.length === 0) return;
  for (const pid of fresh) asked.add(pid);
  signal("SIGTERM", fresh);
  signal("SIGCONT", fresh);
}

/** One that is not ours to signal is reported by the limit, after the others have ended. */
function signalLeniently(pid: number, signal: NodeJS.Signals): void {
  try {
    signalIfThere(pid, signal);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}
