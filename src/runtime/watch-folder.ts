import { type Dirent, type FSWatcher, lstatSync, readdirSync, watch } from "node:fs";
import path from "node:path";

import { pause } from "../base/clock.ts";
import { Problem, hasErrorCode } from "../base/problem.ts";
import { tooManyFolders, watchLimitReached } from "./problems.ts";

export type WatchOptions = {
  /** Names of files and folders, at any depth, besides those that are always ignored. */
  readonly ignore: readonly string[];
  /** Paths relative to the folder, each once; a new folder stands for what is in it. */
  readonly onChange: (paths: readonly string[]) => void;
  /** A folder that appeared later could not be watched. */
  readonly onProblem?: (problem: Problem) => void;
};

const ALWAYS_IGNORED = [
  "node_modules",
  ".git",
  ".ramet",
  "dist",
  "build",
  "out",
  ".output",
  ".turbo",
  ".cache",
  ".next",
  ".vite",
  "coverage",
];
/** Programs write these while they start or run: told as edits, they would restart what writes them for ever. */
const WRITTEN = /\.(?:tsbuildinfo|log|pid|sqlite\d?|db)(?:-\w+)?$/;
const MAX_FOLDERS = 8_192;
const QUIET_MS = 100;
/** More names than that are told as the folder itself. */
const MAX_PATHS = 10_000;

/** Watches folder by folder, because Node's recursive watch walks through what is to be ignored. */
export class FolderWatch {
  readonly #root: string;
  readonly #options: WatchOptions;
  readonly #ignored: ReadonlySet<string>;
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #closed = new AbortController();
  #changed = new Set<string>();

  /** @throws `too_many_folders`, `watch_limit_reached` */
  constructor(root: string, options: WatchOptions) {
    this.#root = root;
    this.#options = options;
    this.#ignored = new Set([...ALWAYS_IGNORED, ...options.ignore]);
    try {
      this.#enter("");
    } catch (error) {
      this.close();
      throw error;
    }
  }

  close(): void {
    this.#closed.abort();
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #enter(top: string): void {
    const waiting = [top];
    for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
      if (!this.#watch(folder)) continue;
      for (const entry of listFolder(path.join(this.#root, folder))) {
        if (entry.isDirectory() && !this.#isIgnored(entry.name))
          waiting.push(path.join(folder, entry.name));
      }
    }
  }

  /** False when it is gone again. */
  #watch(folder: string): boolean {
    if (this.#watchers.size >= MAX_FOLDERS) throw tooManyFolders(this.#root, MAX_FOLDERS);
    try {
      const watcher = watch(path.join(this.#root, folder), (_kind, name) =>
        this.#see(folder, name),
      );
      watcher.on("error", () => this.#leave(folder));
      this.#watchers.get(folder)?.close();
      this.#watchers.set(folder, watcher);
      return true;
    } catch (error) {
      if (hasErrorCode(error, "ENOENT", "ENOTDIR") && folder !== "") return false;
      if (hasErrorCode(error, "ENOSPC", "EMFILE"))
        throw watchLimitReached(path.join(this.#root, folder));
      throw error;
    }
  }

  #see(folder: string, name: string | null): void {
    if (name === null) return this.#note(folder);
    if (this.#isIgnored(name)) return undefined;
    const seen = path.join(folder, name);
    this.#note(seen);
    const isFolder = isDirectory(path.join(this.#root, seen));
    if (isFolder && !this.#watchers.has(seen)) return this.#enterLater(seen);
    if (!isFolder) this.#leave(seen);
    return undefined;
  }

  #isIgnored(name: string): boolean {
    return this.#ignored.has(name) || WRITTEN.test(name);
  }

  #enterLater(folder: string): void {
    try {
      this.#enter(folder);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.#options.onProblem?.(error);
    }
  }

  #leave(top: string): void {
    if (!this.#watchers.has(top)) return;
    for (const [folder, watcher] of this.#watchers) {
      if (folder !== top && !folder.startsWith(`${top}${path.sep}`)) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
  }

  #note(seen: string): void {
    const isFirst = this.#changed.size === 0;
    this.#changed.add(this.#changed.size < MAX_PATHS ? seen : "");
    if (isFirst) void this.#tellSoon();
  }

  async #tellSoon(): Promise<void> {
    await pause(QUIET_MS, this.#closed.signal);
    if (this.#closed.signal.aborted) return;
    const paths = [...this.#changed];
    this.#changed = new Set();
    this.#options.onChange(paths);
  }
}

function listFolder(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR", "EACCES")) return [];
    throw error;
  }
}

function isDirectory(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false })?.isDirectory() === true;
}
