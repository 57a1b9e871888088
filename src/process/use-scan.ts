import path from "node:path";

import { IS_LINUX, eachOf, listPids, readProc } from "./process-table.ts";

/** What a process takes of the machine. */
export type ProcessUse = {
  readonly pid: number;
  /** Of this process alone, while a pid is given again. */
  readonly id: string;
  /** Of its program. */
  readonly name: string;
  /** Its own, or that of whoever started it: a mark can be thrown away. */
  readonly mark: string;
  /** Its threads. */
  readonly tasks: number;
  /** What is its own alone, swapped out or not. */
  readonly memoryBytes: number;
  /** Processor time since it began. */
  readonly cpuMs: number;
  /** What it has had written to disks since it began, less what was deleted before it got there. */
  readonly writtenBytes: number;
};

/** Of a clock tick in /proc: the same on every Linux. */
const TICK_MS = 10;

type Entry = {
  readonly pid: number;
  readonly parent: number;
  readonly begun: string;
  readonly tasks: number;
  readonly cpuMs: number;
};

/** Looks at marked processes and their offspring again and again; what a process was started with is read once. */
export class UseScan {
  readonly #variable: string;
  readonly #prefix: string;
  #marks = new Map<string, string>();

  /** @param prefix of the marks that count */
  constructor(variable: string, prefix: string) {
    this.#variable = variable;
    this.#prefix = prefix;
  }

  /** None where the machine has no /proc. */
  async take(): Promise<readonly ProcessUse[]> {
    if (!IS_LINUX) return [];
    const entries = (await eachOf(listPids(), readEntry)).filter((entry) => entry !== undefined);
    await this.#readMarks(entries);
    const byPid = new Map(entries.map((entry) => [entry.pid, entry]));
    const uses = await eachOf(entries, (entry) => {
      const mark = this.#findMark(entry, byPid);
      return mark === null ? [] : [describeUse(entry, mark)];
    });
    return uses.flat();
  }

  async #readMarks(entries: readonly Entry[]): Promise<void> {
    const known = this.#marks;
    const marks = await eachOf(entries, (entry) => {
      const key = keyOf(entry);
      return [key, known.get(key) ?? this.#readMark(entry.pid)] as const;
    });
    this.#marks = new Map(marks);
  }

  /** Empty: it is none of ours, and need not be read again. */
  #readMark(pid: number): string {
    const environment = `\0${readProc(`/proc/${pid}/environ`)}`;
    const start = `\0${this.#variable}=`;
    const at = environment.indexOf(start);
    const mark = at < 0 ? "" : (environment.slice(at + start.length).split("\0", 1)[0] ?? "");
    return mark.startsWith(this.#prefix) ? mark : "";
  }

  #findMark(entry: Entry, byPid: ReadonlyMap<number, Entry>): string | null {
    const passed = new Set<number>();
    for (let at: Entry | undefined = entry; at !== undefined && !passed.has(at.pid);) {
      const mark = this.#marks.get(keyOf(at)) ?? "";
      if (mark !== "") return mark;
      passed.add(at.pid);
      at = byPid.get(at.parent);
    }
    return null;
  }
}

/** A process's number is given again; with the time of its start it is its own. */
function keyOf({ pid, begun }: Entry): string {
  return `${pid} ${begun}`;
}

function readEntry(pid: number): Entry | undefined {
  const text = readProc(`/proc/${pid}/stat`);
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state = "Z", parent] = fields;
  if (text === "" || state === "Z" || state === "X") return undefined;
  const cpuMs = (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  return { pid, parent: Number(parent), begun: fields[19] ?? "", tasks: Number(fields[17]), cpuMs };
}

function describeUse(entry: Entry, mark: string): ProcessUse {
  const { pid, tasks, cpuMs } = entry;
  const status = readProc(`/proc/${pid}/status`);
  const io = readProc(`/proc/${pid}/io`);
  const kilobytes = readNumber(status, "RssAnon") + readNumber(status, "VmSwap");
  return {
    pid,
    id: keyOf(entry),
    name: path.basename(readProc(`/proc/${pid}/cmdline`).split(/[\0 ]/, 1)[0] ?? ""),
    mark,
    tasks,
    memoryBytes: kilobytes * 1024,
    cpuMs,
    writtenBytes: readNumber(io, "write_bytes") - readNumber(io, "cancelled_write_bytes"),
  };
}

function readNumber(text: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(text)?.[1] ?? 0);
}
