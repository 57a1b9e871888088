import { type FSWatcher, watch } from "node:fs";
import { readdir } from "node:fs/promises";

import { pause } from "../base/clock.ts";
import { hasErrorCode } from "../base/problem.ts";
import type { LogLine } from "../environment/environment.ts";
import { LogFilter, type LogFilterOptions } from "./log-filter.ts";
import { LogTail } from "./log-tail.ts";
import { isProcessName } from "./plan.ts";

export type LogQuestion = {
  /** null: of all of them, by time. */
  readonly process: string | null;
  readonly last: number;
} & LogFilterOptions;

const MAX_LAST = 100_000;
const POLL_MS = 100;
const CURRENT_LOG = /^([^.]+)\.jsonl$/;

/** The last lines that stand there. */
export async function readLastLines(
  logs: string,
  question: LogQuestion,
): Promise<readonly LogLine[]> {
  const tails = new TailSet(logs, question);
  try {
    return await tails.open(question.last);
  } finally {
    await tails.close();
  }
}

/** The last lines, then those that are added, until the signal is aborted. */
export async function* follow(
  logs: string,
  { signal, ...question }: LogQuestion & { readonly signal: AbortSignal },
): AsyncGenerator<LogLine, void, undefined> {
  const tails = new TailSet(logs, question);
  const change = new FolderChange(logs);
  try {
    yield* await tails.open(question.last);
    while (!signal.aborted) {
      const lines = await tails.next();
      if (lines === null) await change.wait(signal);
      else yield* lines;
    }
  } finally {
    change.close();
    await tails.close();
  }
}

/** The logs of the processes that are asked for, also of one that is new. */
class TailSet {
  readonly #logs: string;
  readonly #only: string | null;
  readonly #filter: LogFilter;
  readonly #tails = new Map<string, LogTail>();

  constructor(logs: string, question: LogQuestion) {
    this.#logs = logs;
    this.#only = question.process;
    this.#filter = new LogFilter(question);
  }

  async open(last: number): Promise<readonly LogLine[]> {
    const most = Math.min(Math.max(0, Math.trunc(last)), MAX_LAST);
    const lines = await Promise.all(
      (await this.#addNew()).map((tail) => tail.recent(most, this.#filter)),
    );
    const merged = merge(lines);
    return most === 0 ? [] : merged.slice(-most);
  }

  /** null: there is nothing new, not even what nobody asks for. */
  async next(): Promise<readonly LogLine[] | null> {
    await this.#addNew();
    const lines = await Promise.all([...this.#tails.values()].map((tail) => tail.next()));
    const isNews = lines.some((list) => list.length > 0);
    return isNews ? this.#filter.select(merge(lines)) : null;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#tails.values()].map((tail) => tail.close()));
  }

  async #addNew(): Promise<readonly LogTail[]> {
    const names = (await listLogs(this.#logs)).filter(
      (name) => this.#only === null || name === this.#only,
    );
    return names.flatMap((name) => {
      if (this.#tails.has(name)) return [];
      const tail = new LogTail(this.#logs, name);
      this.#tails.set(name, tail);
      return [tail];
    });
  }
}

/** Those of one process stay in their order. */
function merge(lists: readonly (readonly LogLine[])[]): readonly LogLine[] {
  const busy = lists.filter((list) => list.length > 0);
  if (busy.length === 1) return busy[0] ?? [];
  return busy.flat().toSorted((a, b) => compareTexts(a.time, b.time));
}

function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

async function listLogs(logs: string): Promise<readonly string[]> {
  try {
    const names = await readdir(logs);
    return names.flatMap((name) => CURRENT_LOG.exec(name)?.[1] ?? []).filter(isProcessName);
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR")) return [];
    throw error;
  }
}

/** Wakes at a change of the folder, where the system tells of it, and every 100 ms at the latest. */
class FolderChange {
  readonly #watcher: FSWatcher | undefined;
  #wake = new AbortController();

  constructor(folder: string) {
    this.#watcher = watchIfPossible(folder, () => this.#wake.abort());
  }

  async wait(signal: AbortSignal): Promise<void> {
    const wake = this.#wake.signal;
    await pause(POLL_MS, AbortSignal.any([signal, wake]));
    this.#wake = new AbortController();
  }

  close(): void {
    this.#watcher?.close();
  }
}

function watchIfPossible(folder: string, onChange: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(folder, onChange);
    watcher.on("error", () => watcher.close());
    return watcher;
  } catch {
    // No folder yet, or no watch left: looking every 100 ms does as well.
    return undefined;
  }
}
