import { monotonicMs, sleep } from "../base/clock.ts";
import type { ReadyCheck } from "../environment/manifest.ts";
import { findFamily, findListeningPorts, findMarked } from "../process/process.ts";
import { type Answer, probeHttp, probePort } from "./probe.ts";

export type Subject = {
  readonly pid: number;
  readonly port: number | null;
  readonly ready: ReadyCheck;
  /** By which those that left the process's group are found. */
  readonly mark: { readonly variable: string; readonly value: string };
  /** Somebody else listened there before the process was started: it is asked whether the listener is its own. */
  readonly wasTaken: boolean;
};

export type Watch = {
  /** The process is over. */
  readonly signal: AbortSignal;
  /** The limit has passed; the watch goes on. */
  readonly onLate: (why: string) => void;
};

/** A process that is asked nothing is ready when it has not ended at once. */
const SETTLE_MS = 300;
/** Somebody waits for a process that has just been started; one that takes long is asked less often. */
const STEPS: readonly { readonly untilMs: number; readonly stepMs: number }[] = [
  { untilMs: 1_000, stepMs: 15 },
  { untilMs: 5_000, stepMs: 50 },
];
const LAST_STEP = { stepMs: 250 };
const LATE_STEP_MS = 1_000;
/** Of one GET: a development server compiles before its first answer. */
const MAX_ANSWER_MS = 60_000;
/** Looking for other ports costs a walk through /proc, and the kernel's list of sockets is long to read. */
const SEARCH_AFTER_MS = 1_000;
const SEARCH_EVERY_MS = 500;
/** A port other than the one assigned must be open so long before it is taken for the process's. */
const OTHER_PORT_MS = 1_500;

/**
 * Resolves with the port on which the process serves, which is another than assigned when it ignores what it is told.
 * @throws the signal's reason
 */
export async function becomeReady(subject: Subject, watch: Watch): Promise<number | null> {
  const { port, ready } = subject;
  if (ready.kind === "none" || port === null) {
    await sleep(SETTLE_MS, watch.signal);
    return port;
  }
  const search = new PortSearch(subject);
  const late = new Limit(ready.timeoutMs);
  const beganMs = monotonicMs();
  for (;;) {
    const answer = await ask(subject, port, watch.signal);
    if (answer.isReady) return port;
    const other = await search.find(watch.signal);
    if (other !== undefined) return other;
    if (late.passesNow()) watch.onLate(answer.why);
    const { stepMs } = STEPS.find(({ untilMs }) => monotonicMs() - beganMs < untilMs) ?? LAST_STEP;
    await sleep(late.hasPassed ? LATE_STEP_MS : stepMs, watch.signal);
  }
}

/** Resolves when it serves on the assigned port after all. @throws the signal's reason */
export async function becomeObedient(subject: Subject, signal: AbortSignal): Promise<number> {
  for (;;) {
    await sleep(LATE_STEP_MS, signal);
    if (subject.port === null) continue;
    if ((await ask(subject, subject.port, signal)).isReady) return subject.port;
  }
}

async function ask(subject: Subject, port: number, signal: AbortSignal): Promise<Answer> {
  signal.throwIfAborted();
  const open = await probePort(port, signal);
  if (!open.isReady) return open;
  const { ready } = subject;
  const limited = AbortSignal.any([signal, AbortSignal.timeout(MAX_ANSWER_MS)]);
  const answer = ready.kind === "http" ? await probeHttp(port, ready.path, limited) : open;
  if (!answer.isReady || !subject.wasTaken || port !== subject.port) return answer;
  if ((await listPorts(subject)).includes(port)) return answer;
  return { isReady: false, why: `another program listens on port ${port}` };
}

/** Finds the port of a process that ignores the one assigned. */
class PortSearch {
  readonly #subject: Subject;
  /** Since when each has been open. */
  #open = new Map<number, number>();
  #nextMs = monotonicMs() + SEARCH_AFTER_MS;

  constructor(subject: Subject) {
    this.#subject = subject;
  }

  async find(signal: AbortSignal): Promise<number | undefined> {
    const now = monotonicMs();
    if (now < this.#nextMs) return undefined;
    const ports = (await listPorts(this.#subject)).filter((port) => port !== this.#subject.port);
    this.#open = new Map(ports.map((port) => [port, this.#open.get(port) ?? now]));
    const steady = ports.filter((port) => now - (this.#open.get(port) ?? now) >= OTHER_PORT_MS);
    for (const port of steady) if ((await ask(this.#subject, port, signal)).isReady) return port;
    this.#nextMs = monotonicMs() + SEARCH_EVERY_MS;
    return undefined;
  }
}

async function listPorts({ pid, mark }: Subject): Promise<readonly number[]> {
  const [family, marked] = await Promise.all([
    findFamily(pid),
    findMarked(mark.variable, mark.value),
  ]);
  const own = marked.filter((one) => one.mark === mark.value).map((one) => one.pid);
  return findListeningPorts([...new Set([...family, ...own])]);
}

/** Says once that its time has passed. */
class Limit {
  hasPassed = false;
  readonly #endMs: number;

  constructor(ms: number) {
    this.#endMs = monotonicMs() + ms;
  }

  passesNow(): boolean {
    if (this.hasPassed || monotonicMs() < this.#endMs) return false;
    this.hasPassed = true;
    return true;
  }
}
