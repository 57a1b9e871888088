import { constants } from "node:fs";
import { type FileHandle, open, rename } from "node:fs/promises";
import path from "node:path";
import type { Readable } from "node:stream";

import { type Clock, isoTime, monotonicMs, sleep, systemClock } from "../base/clock.ts";
import { KeyedLock } from "../base/keyed-lock.ts";
import { hasErrorCode } from "../base/problem.ts";
import type { LogLevel, LogLine } from "../environment/environment.ts";
import { LineSplitter } from "./line-splitter.ts";
import { LogPace } from "./log-pace.ts";
import type { KeptLine } from "./understand-line.ts";

/** Then it becomes `<process>.1.jsonl`. */
export const MAX_LOG_BYTES = 10 * 1024 * 1024;
/** Files that are kept beside the current one. */
export const OLD_LOGS = 2;
export const MAX_LINE_BYTES = 64 * 1024;

/** The folder may belong to the user of the processes, and the writer be root: a link there must lead nowhere. */
const APPEND = constants.O_APPEND | constants.O_CREAT | constants.O_RDWR | constants.O_NOFOLLOW;
const NEWLINE = 0x0a;
const LAST_LINES = 20;
const HELD_BACK =
  "prints more than 4 MB a second: it waits for its log from time to time, and nothing is lost";

/** Age 0 is the current one. */
export function logFile(logs: string, process: string, age: number): string {
  return path.join(logs, age === 0 ? `${process}.jsonl` : `${process}.${age}.jsonl`);
}

/** One process's log: lines of JSON, a bounded number of bounded files. */
export class LogFile {
  readonly #logs: string;
  readonly #process: string;
  readonly #clock: Clock;
  readonly #lock = new KeyedLock();
  #open: { readonly handle: FileHandle; bytes: number } | undefined;
  #lastLines: string[] = [];
  readonly #pace = new LogPace(monotonicMs());
  #isHeldBack = false;

  constructor(logs: string, process: string, clock: Clock = systemClock) {
    this.#logs = logs;
    this.#process = process;
    this.#clock = clock;
  }

  /** The last that the process itself printed. */
  lastLines(): readonly string[] {
    return this.#lastLines;
  }

  forgetLastLines(): void {
    this.#lastLines = [];
  }

  /** Writes all that the stream brings, no faster than disk and pace take it; resolves at the stream's end. */
  async copy(stream: "stdout" | "stderr", from: Readable): Promise<void> {
    const splitter = new LineSplitter(MAX_LINE_BYTES);
    try {
      for await (const chunk of from) {
        if (!(chunk instanceof Buffer)) continue;
        await this.#holdBack(await this.write(stream, splitter.push(chunk)));
      }
    } catch {
      // The pipe was closed under our hands: what came before counts.
    }
    await this.write(stream, splitter.end());
  }

  /**
   * A log that cannot be written is no reason to hold up the process: its lines are dropped.
   * @param level of lines of ours, which do not say it themselves
   * @returns how many bytes that were
   */
  async write(
    stream: LogLine["stream"],
    texts: readonly string[],
    level?: LogLevel,
  ): Promise<number> {
    if (stream !== "ramet") this.#lastLines = [...this.#lastLines, ...texts].slice(-LAST_LINES);
    const kept = { time: isoTime(this.#clock), process: this.#process, stream };
    return this.append(texts.map((text) => ({ ...kept, ...(level && { level }), text })));
  }

  /** @returns how many bytes that were */
  async append(lines: readonly KeptLine[]): Promise<number> {
    if (lines.length === 0) return 0;
    const bytes = Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    await this.#lock.run("file", async () => {
      try {
        await this.#append(bytes);
      } catch {
        // The disk is full, or the folder gone: the next write tries anew.
        await this.#close();
      }
    });
    return bytes.length;
  }

  /** No process of ours writes any more. */
  async close(): Promise<void> {
    await this.#lock.run("file", () => this.#close());
  }

  /** Said once for each log: whoever looks for why a process is slow finds it. */
  async #holdBack(bytes: number): Promise<void> {
    const waitMs = this.#pace.take(bytes, monotonicMs());
    if (waitMs === 0) return;
    if (!this.#isHeldBack) {
      this.#isHeldBack = true;
      await this.write("ramet", [HELD_BACK], "warn");
    }
    await sleep(waitMs);
  }

  async #append(bytes: Buffer): Promise<void> {
    this.#open ??= await openLog(logFile(this.#logs, this.#process, 0));
    if (this.#open.bytes > 0 && this.#open.bytes + bytes.length > MAX_LOG_BYTES) {
      await this.#rotate();
      this.#open = await openLog(logFile(this.#logs, this.#process, 0));
    }
    await this.#open.handle.appendFile(bytes);
    this.#open.bytes += bytes.length;
  }

  async #rotate(): Promise<void> {
    await this.#close();
    for (let age = OLD_LOGS; age > 0; age -= 1) {
      const from = logFile(this.#logs, this.#process, age - 1);
      await renameIfThere(from, logFile(this.#logs, this.#process, age));
    }
  }

  async #close(): Promise<void> {
    const handle = this.#open?.handle;
    this.#open = undefined;
    await handle?.close();
  }
}

async function openLog(file: string): Promise<{ handle: FileHandle; bytes: number }> {
  const handle = await open(file, APPEND, 0o600);
  try {
    const { size } = await handle.stat();
    const last = Buffer.alloc(1, NEWLINE);
    if (size > 0) await handle.read(last, 0, 1, size - 1);
    // A writer that was killed left half a line: ours must not continue it.
    if (last[0] !== NEWLINE) await handle.appendFile("\n");
    return { handle, bytes: size };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function renameIfThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!hasErrorCode(error, "ENOENT")) throw error;
  }
}
