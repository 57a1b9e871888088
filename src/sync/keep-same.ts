import { monotonicMs, rest, sleep } from "../base/clock.ts";
import { findIgnored } from "../files/files.ts";
import type { Preference } from "./core/reconcile.ts";
import { stampGit, untilGitIsDone } from "./git-state.ts";
import type { Merged, MergeOptions } from "./merge.ts";
import { TreeWatch } from "./tree-watch.ts";

export type KeepOptions = {
  readonly prefer: Preference;
  /** Names a folder for what one merge displaces. */
  readonly displaced: () => string;
  readonly signal: AbortSignal;
};

const NOTHING_LEFT = "[[],[]]";

type Folders = { readonly local: string; readonly remote: string };
type Merge = (options: MergeOptions) => Promise<Merged | undefined>;

/** A file is written in steps: with less of a pause half of them would be taken over (see docs/decisions). */
const SETTLE_MS = 5;
const MOST_SETTLE_MS = 50;
/** Events can be lost without a word; a look at everything finds what they did not tell. */
const LOOK_EVERY_MS = 10_000;
/** Where not every folder can be watched. */
const POLL_EVERY_MS = 1_000;
/** A path that could not be brought in order is tried again after so long. */
const RETRY_MS = 250;

/**
 * Keeps both sides the same until the signal ends it: tells each merge that did something, or left something, anew.
 * @throws `sync_emptied`, `sync_removals`, `disk_full`, with both sides as they were
 */
export async function* keepSame(
  folders: Folders,
  merge: Merge,
  options: KeepOptions,
): AsyncGenerator<Merged> {
  const events = new Events();
  const watches = [folders.local, folders.remote].map((root) => openWatch(root, folders, events));
  try {
    yield* mergeOnEvents(folders, merge, { ...options, events, watches });
  } finally {
    for (const watch of watches) watch.close();
  }
}

type Watching = KeepOptions & { readonly events: Events; readonly watches: readonly TreeWatch[] };

async function* mergeOnEvents(
  { local }: Folders,
  merge: Merge,
  { prefer, displaced, signal, events, watches }: Watching,
): AsyncGenerator<Merged> {
  let told = NOTHING_LEFT;
  let before: string | undefined;
  while (!signal.aborted) {
    await untilGitIsDone(local, signal);
    const git = await stampGit(local);
    if (git === undefined) continue;
    // Before anything is read: what happens from here on makes another round.
    events.clear();
    const renewed = await Promise.all(watches.map(async (watch) => watch.renew()));
    const merged = await merge({
      prefer,
      displaced: displaced(),
      mayRemoveMany: before !== undefined && before !== git,
      isAtRest: async () => (await stampGit(local)) === git,
    });
    if (merged === undefined) continue;
    before = git;
    const left = describeLeft(merged);
    if (hasMoved(merged) || left !== told) yield merged;
    told = left;
    if (!renewed.includes(true)) await events.next(pauseAfter(merged, watches), signal);
  }
}

/** Events of both trees, counted; which they were does not matter. */
class Events {
  #count = 0;
  #wake: (() => void) | undefined;

  readonly note = (): void => {
    this.#count += 1;
    this.#wake?.();
  };

  clear(): void {
    this.#count = 0;
  }

  /** Resolves once there was one and no more follow, after the pause at the latest, or when the signal ends it. */
  async next(pauseMs: number, signal: AbortSignal): Promise<void> {
    if (this.#count === 0) await this.#wait(pauseMs, signal);
    const began = monotonicMs();
    for (let before = -1; before !== this.#count && !signal.aborted;) {
      before = this.#count;
      if (before === 0 || monotonicMs() - began > MOST_SETTLE_MS) return;
      await sleep(SETTLE_MS);
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

function openWatch(root: string, { local }: Folders, events: Events): TreeWatch {
  return new TreeWatch(root, {
    onEvent: events.note,
    findIgnored: async (folders) => {
      if (folders.length === 0) return new Set();
      const ignored = await findIgnored(
        local,
        folders.map((folder) => `${folder}/`),
      );
      return new Set([...ignored].map((folder) => folder.replace(/\/$/, "")));
    },
  });
}

function hasMoved({ toLocal, toRemote }: Merged): boolean {
  return toLocal.length + toRemote.length > 0;
}

/** What it leaves: told once, until it changes. */
function describeLeft({ conflicts, left }: Merged): string {
  return JSON.stringify([conflicts, [...left].map(([path, { code }]) => [path, code])]);
}

function pauseAfter({ left }: Merged, watches: readonly TreeWatch[]): number {
  if (left.size > 0) return RETRY_MS;
  return watches.every(({ isComplete }) => isComplete) ? LOOK_EVERY_MS : POLL_EVERY_MS;
}
