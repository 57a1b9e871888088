import { monotonicMs, rest, sleep } from "../../base/clock.ts";
import { Problem } from "../../base/problem.ts";
import type { Preference } from "../core/reconcile.ts";
import { TreeWatch } from "../side/tree-watch.ts";
import { stampGit, untilGitIsDone } from "./git-state.ts";
import type { Merged, MergeOptions } from "./merge.ts";

export type KeepOptions = {
  readonly prefer: Preference;
  readonly signal: AbortSignal;
};

const NOTHING_LEFT = "[[],[]]";

/** What tells that something may have happened in a tree. */
export type Watch = {
  /** False: not all of it is told. */
  readonly isComplete: boolean;
  close(): void;
};

/** The workspace; and how the other tree is listened to, wherever that is. */
export type Kept<Remote extends Watch> = {
  readonly local: string;
  readonly watchRemote: (onEvent: () => void) => Remote;
  /** Begins with what git has written of these files, and may write again, as long as it is at work. */
  readonly copyAhead?: (names: readonly string[], isStill: () => boolean) => Promise<void>;
};
type Watches<Remote extends Watch> = { readonly local: TreeWatch; readonly remote: Remote };
/** undefined: the sides were not at rest. */
export type Merge<Remote extends Watch> = (
  options: MergeOptions,
  watches: Watches<Remote>,
) => Promise<Merged | undefined>;

/** A file is written in steps: with less of a pause half of them would be taken over (see docs/decisions). */
const SETTLE_MS = 3;
const MOST_SETTLE_MS = 50;
/** Events can be lost without a word; a look at everything finds what they did not tell. */
const LOOK_EVERY_MS = 30_000;
const MOST_LOOK_EVERY_MS = 60_000;
/** Where not every folder can be watched. */
const POLL_EVERY_MS = 1_000;
/** A path that could not be brought in order is tried again after so long. */
const RETRY_MS = 500;
const HALTS = new Set(["sync_emptied", "sync_removals"]);
/** Some seconds of a storm of renames. */
const MOST_DOUBTS = 50;
/** Each try writes until the disk is full again. */
const FULL_RETRY_MS = 5_000;

/**
 * Keeps both sides the same until the signal ends it: tells each merge that did something, or left something, anew. On a
 * full disk it says so once, and goes on when there is room. @throws `sync_emptied`, `sync_removals`, with both sides as they were
 */
export async function* keepSame<Remote extends Watch>(
  kept: Kept<Remote>,
  merge: Merge<Remote>,
  options: KeepOptions,
): AsyncGenerator<Merged> {
  const events = new Events();
  const local = new TreeWatch(kept.local, events.note);
  const remote = kept.watchRemote(events.note);
  try {
    yield* mergeOnEvents(kept, sayingFull(merge), {
      ...options,
      events,
      watches: { local, remote },
    });
  } finally {
    local.close();
    remote.close();
  }
}

type Watching<Remote extends Watch> = KeepOptions & {
  readonly events: Events;
  readonly watches: Watches<Remote>;
};

async function* mergeOnEvents<Remote extends Watch>(
  { local, copyAhead }: Kept<Remote>,
  merge: Merge<Remote>,
  { prefer, signal, events, watches }: Watching<Remote>,
): AsyncGenerator<Merged> {
  let told = NOTHING_LEFT;
  let before: string | undefined;
  const whole = new Whole(watches);
  const mergeIfSure = doubtingHalts(merge, { events, whole, signal });
  while (!signal.aborted) {
    await untilGitIsDone(local, signal, async (isStill) =>
      copyAhead?.(watches.local.takeTouched(), isStill),
    );
    const git = stampGit(local);
    if (git === undefined) continue;
    const scope = whole.isDue(events.count > 0) ? "all" : "hinted";
    // Before anything is read: what happens from here on makes another round.
    events.clear();
    const mayRemoveMany = before !== undefined && before !== git;
    const isAtRest = (): boolean => stampGit(local) === git;
    const merged = await mergeIfSure({ scope, prefer, mayRemoveMany, isAtRest }, watches);
    if (merged === undefined) continue;
    if (scope === "all") whole.note();
    // What git did is still to be taken over where there was no room for it.
    before = isFull(merged) ? before : git;
    const left = describeLeft(merged);
    if (hasMoved(merged) || left !== told) yield merged;
    told = left;
    await events.next(pauseAfter(merged, whole.leftMs), signal);
  }
}

type Doubting = { readonly events: Events; readonly whole: Whole; readonly signal: AbortSignal };

/**
 * A folder that is renamed while its tree is read is seen by neither name. So what seems to have gone is believed to be when
 * all was looked at once more, and nothing happened meanwhile.
 */
function doubtingHalts<Remote extends Watch>(
  merge: Merge<Remote>,
  { events, whole, signal }: Doubting,
): Merge<Remote> {
  let doubts = 0;
  return async (options, watches) => {
    try {
      const merged = await merge(options, watches);
      if (merged !== undefined) doubts = 0;
      return merged;
    } catch (error) {
      if (!(error instanceof Problem) || !HALTS.has(error.code)) throw error;
      await events.next(SETTLE_MS, signal);
      const isSure = doubts > 0 && options.scope === "all" && events.count === 0;
      if (isSure || doubts >= MOST_DOUBTS) throw error;
      doubts += 1;
      whole.forget();
      return undefined;
    }
  };
}

/** @param leftMs until everything is to be looked at */
function pauseAfter(merged: Merged, leftMs: number): number {
  if (isFull(merged)) return FULL_RETRY_MS;
  return merged.left.size > 0 ? RETRY_MS : leftMs;
}

/** Something that is about no path alone. */
const EVERYWHERE = "";
const DISK_FULL = "disk_full";

function isFull({ left }: Merged): boolean {
  return left.get(EVERYWHERE)?.code === DISK_FULL;
}

/** Nobody who edits wants it to end because a disk was full for a while. */
function sayingFull<Remote extends Watch>(merge: Merge<Remote>): Merge<Remote> {
  return async (options, watches) => {
    try {
      return await merge(options, watches);
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== DISK_FULL) throw error;
      const nothing = { toLocal: [], toRemote: [], conflicts: [], revived: [], displaced: null };
      return { ...nothing, left: new Map([[EVERYWHERE, error]]) };
    }
  };
}

/** When everything is to be looked at again. */
class Whole {
  readonly #watches: Watches<Watch>;
  #at = Number.NEGATIVE_INFINITY;

  constructor(watches: Watches<Watch>) {
    this.#watches = watches;
  }

  get everyMs(): number {
    const { local, remote } = this.#watches;
    return local.isComplete && remote.isComplete ? LOOK_EVERY_MS : POLL_EVERY_MS;
  }

  get leftMs(): number {
    return Math.max(0, this.#at + this.everyMs - monotonicMs());
  }

  /** Where all is told, whoever has just edited does not wait for it, unless they edit all the time. */
  isDue(isTold: boolean): boolean {
    const waitsMs = isTold && this.everyMs === LOOK_EVERY_MS ? MOST_LOOK_EVERY_MS : this.everyMs;
    return monotonicMs() - this.#at >= waitsMs;
  }

  note(): void {
    this.#at = monotonicMs();
  }

  forget(): void {
    this.#at = Number.NEGATIVE_INFINITY;
  }
}

/** Events of both trees, counted; which they were does not matter. */
class Events {
  #count = 0;
  #lastMs = 0;
  #wake: (() => void) | undefined;

  readonly note = (): void => {
    this.#count += 1;
    this.#lastMs = monotonicMs();
    this.#wake?.();
  };

  get count(): number {
    return this.#count;
  }

  clear(): void {
    this.#count = 0;
  }

  /** Resolves once there was one and no more follow, after the pause at the latest, or when the signal ends it. */
  async next(pauseMs: number, signal: AbortSignal): Promise<void> {
    if (this.#count === 0) await this.#wait(pauseMs, signal);
    const latestMs = monotonicMs() + MOST_SETTLE_MS;
    while (this.#count > 0 && !signal.aborted) {
      const leftMs = Math.min(this.#lastMs + SETTLE_MS, latestMs) - monotonicMs();
      if (leftMs <= 0) return;
      await sleep(leftMs);
    }
  }

  async #wait(pauseMs: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const pause = new AbortController();
    const either = AbortSignal.any([pause.signal, signal]);
    // Its only end is the signal's.
    const waited = rest(pauseMs, either).catch(() => undefined);
    await Promise.race([promise, waited]);
    pause.abort();
    this.#wake = undefined;
  }
}

function hasMoved({ toLocal, toRemote }: Merged): boolean {
  return toLocal.length + toRemote.length > 0;
}

/** What it leaves: told once, until it changes. */
function describeLeft({ conflicts, left }: Merged): string {
  return JSON.stringify([conflicts, [...left].map(([path, { code }]) => [path, code])]);
}
