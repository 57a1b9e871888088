import { type BigIntStats, type FSWatcher, lstatSync, readdirSync, watch } from "node:fs";
import path from "node:path";

import { hasErrorCode } from "../base/problem.ts";
import { isLeftOut } from "./left-out.ts";

export type TreeWatchOptions = {
  /** Of these folders, which are relative to the root, those that no part of the tree lies in. */
  readonly findIgnored: (folders: readonly string[]) => Promise<ReadonlySet<string>>;
  /** Something may have changed. Which event it was says nothing that can be relied on. */
  readonly onEvent: () => void;
};

type Watched = { readonly watcher: FSWatcher; readonly id: string };

/** As many as most systems let a user watch in all are far more. */
const MAX_FOLDERS = 8_192;

/**
 * Watches a tree, one watch for each folder: a recursive one misses files in new folders, and those that a rename
 * replaced. What it tells is a hint; a scan finds out what is so.
 */
export class TreeWatch {
  readonly #root: string;
  readonly #options: TreeWatchOptions;
  readonly #watched = new Map<string, Watched>();
  #isComplete = true;

  constructor(root: string, options: TreeWatchOptions) {
    this.#root = root;
    this.#options = options;
  }

  /** False where the system gives no more watches: the tree must be looked at from time to time. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /**
   * Watches every folder that there is now, each before it is listed. Resolves with whether any was not watched before:
   * what happened in it until then, only a scan from now on can see.
   */
  async renew(): Promise<boolean> {
    let hasNew = false;
    const present = new Set<string>();
    for (let level: readonly string[] = [""]; level.length > 0;) {
      const inner: string[] = [];
      for (const folder of level) {
        hasNew = this.#watch(folder) || hasNew;
        present.add(folder);
        inner.push(...this.#listFolders(folder));
      }
      const ignored = await this.#options.findIgnored(inner);
      level = inner.filter((folder) => !ignored.has(folder));
    }
    for (const folder of this.#watched.keys()) if (!present.has(folder)) this.#forget(folder);
    return hasNew;
  }

  close(): void {
    for (const folder of this.#watched.keys()) this.#forget(folder);
  }

  /** True where this very folder was not watched, and is now: one of the same name may have gone. */
  #watch(folder: string): boolean {
    const id = this.#identify(folder);
    if (id === undefined || this.#watched.get(folder)?.id === id) return false;
    this.#forget(folder);
    return this.#open(folder, id);
  }

  #open(folder: string, id: string): boolean {
    if (this.#watched.size >= MAX_FOLDERS) {
      this.#isComplete = false;
      return false;
    }
    try {
      const watcher = watch(path.join(this.#root, folder), this.#options.onEvent);
      watcher.on("error", this.#options.onEvent);
      this.#watched.set(folder, { watcher, id });
      return true;
    } catch (error) {
      if (hasErrorCode(error, "ENOSPC", "EMFILE")) this.#isComplete = false;
      else if (!hasErrorCode(error, "ENOENT", "ENOTDIR", "EACCES")) throw error;
      return false;
    }
  }

  #forget(folder: string): void {
    this.#watched.get(folder)?.watcher.close();
    this.#watched.delete(folder);
  }

  #identify(folder: string): string | undefined {
    const found: BigIntStats | undefined = lstatSync(path.join(this.#root, folder), {
      bigint: true,
      throwIfNoEntry: false,
    });
    // A new folder is often given the number of the one that was just removed.
    return found?.isDirectory() === true
      ? `${found.dev}:${found.ino}:${found.birthtimeNs}`
      : undefined;
  }

  #listFolders(folder: string): readonly string[] {
    try {
      return readdirSync(path.join(this.#root, folder), { withFileTypes: true })
        .filter((entry) => entry.isDirectory() && !isLeftOut(entry.name))
        .map(({ name }) => (folder === "" ? name : `${folder}/${name}`));
    } catch (error) {
      if (hasErrorCode(error, "ENOENT", "ENOTDIR", "EACCES")) return [];
      throw error;
    }
  }
}
