import {
  type BigIntStats,
  type FSWatcher,
  readlinkSync,
  realpathSync,
  statSync,
  watch,
} from "node:fs";
import path from "node:path";

import { type Pinned, pinFolder } from "../../base/pinned.ts";
import { hasErrorCode } from "../../base/problem.ts";
import { isLeftOut } from "../core/left-out.ts";
import { joinPath } from "./listed-names.ts";
import type { Hints } from "./tree-side.ts";

type Watched = { readonly watcher: FSWatcher; readonly id: string };

/** As many as most systems let a user watch in all are far more. */
const MAX_FOLDERS = 8_192;
/** Of more than a storm of some seconds nobody asks. */
const MOST_TOUCHED = 50_000;
/** After so many between two looks the system may have dropped others, without a word. */
const MOST_EVENTS = 1_000;

/**
 * Watches the folders of a tree, one watch for each: a recursive one misses files in new folders, and those that a rename
 * replaced. What it tells is a hint; a look finds out what is so.
 */
export class TreeWatch implements Hints {
  readonly #root: string;
  readonly #onEvent: () => void;
  readonly #watched = new Map<string, Watched>();
  #hinted = new Set<string>();
  #touched = new Set<string>();
  #count = Number.POSITIVE_INFINITY;
  #isComplete = true;

  constructor(root: string, onEvent: () => void) {
    this.#root = root;
    this.#onEvent = onEvent;
  }

  /** False where the system gives no more watches: the tree must be looked at from time to time. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** null at first, too: nothing is known of what happened before. */
  take(): ReadonlySet<string> | null {
    const hinted = this.#count > MOST_EVENTS ? null : this.#hinted;
    this.#hinted = new Set();
    this.#touched = new Set();
    this.#count = 0;
    return hinted;
  }

  /** Names of which something was told since it was last asked this, or `take`; some may be lacking. */
  takeTouched(): readonly string[] {
    const touched = [...this.#touched];
    this.#touched = new Set();
    return touched;
  }

  /** True where this very folder was not watched, and is now: one of the same name may have gone. */
  follow(folder: string): boolean {
    const pinned = this.#pin(folder);
    if (pinned === undefined) return false;
    try {
      const id = identify(pinned);
      if (this.#watched.get(folder)?.id === id) return false;
      this.leave(folder);
      return this.#open(folder, { id, place: pinned.path });
    } finally {
      pinned.close();
    }
  }

  leave(folder: string): void {
    this.#watched.get(folder)?.watcher.close();
    this.#watched.delete(folder);
  }

  close(): void {
    for (const folder of this.#watched.keys()) this.leave(folder);
  }

  #open(folder: string, { id, place }: { readonly id: string; readonly place: string }): boolean {
    if (this.#watched.size >= MAX_FOLDERS) this.#isComplete = false;
    if (this.#watched.size >= MAX_FOLDERS) return false;
    try {
      const watcher = watch(place, (_event, name) => this.#note(folder, name));
      watcher.on("error", () => this.#note(folder, null));
      this.#watched.set(folder, { watcher, id });
      return true;
    } catch (error) {
      if (hasErrorCode(error, "ENOSPC", "EMFILE")) this.#isComplete = false;
      else if (!hasErrorCode(error, "ENOENT", "ENOTDIR", "EACCES")) throw error;
      return false;
    }
  }

  #note(folder: string, name: string | null): void {
    if (name !== null && isLeftOut(name)) return;
    this.#count += 1;
    this.#hinted.add(folder);
    if (name !== null && this.#touched.size < MOST_TOUCHED)
      this.#touched.add(joinPath(folder, name));
    this.#onEvent();
  }

  /** The folder itself, wherever links may lead by now: what was opened on the way through one lies elsewhere. */
  #pin(folder: string): Pinned | undefined {
    try {
      const place = path.join(realpathSync.native(this.#root), folder);
      const pinned = pinFolder(place);
      if (pinned === undefined || pinned.path === place || readlinkSync(pinned.path) === place)
        return pinned;
      pinned.close();
    } catch (error) {
      if (!hasErrorCode(error, "ENOENT", "ENOTDIR", "EACCES")) throw error;
    }
    return undefined;
  }
}

function identify({ path: place }: Pinned): string {
  const { dev, ino, birthtimeNs }: BigIntStats = statSync(`${place}/.`, { bigint: true });
  // A new folder is often given the number of the one that was just removed.
  return `${dev}:${ino}:${birthtimeNs}`;
}
