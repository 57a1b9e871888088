import { mkdir } from "node:fs/promises";

import { type Clock, isoTime, pause } from "../base/clock.ts";
import { hasErrorCode } from "../base/problem.ts";
import type { LogLevel } from "../environment/environment.ts";
import { LogFile } from "./log-file.ts";
import type { KeptLine } from "./understand-line.ts";

/** What becomes of one request of a client. */
export type Access = {
  readonly method: string;
  readonly path: string;
  readonly host: string;
  /** Such as `HTTP/2.0`. */
  readonly protocol: string;
  /** 499: the client left before it was answered. */
  readonly status: number;
  /** Until the answer, or the WebSocket, was over. */
  readonly ms: number;
};

const NAME = "gateway";
const FLUSH_MS = 100;
/** Between two flushes; more than a gateway of one process can answer. */
const MAX_HELD = 10_000;
const MAX_PATH = 2048;

/** The requests of one environment, a line of JSON each, written together: a file opened for each would cost more than its answer. */
export class AccessLog {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #file: LogFile;
  readonly #closing = new AbortController();
  #held: KeptLine[] = [];
  #writing: Promise<void> | undefined;

  /** @param folder made when the first line is written, inside one that must be there */
  constructor(folder: string, clock: Clock) {
    this.#folder = folder;
    this.#clock = clock;
    this.#file = new LogFile(folder, NAME, clock);
  }

  note(access: Access): void {
    if (this.#closing.signal.aborted || this.#held.length >= MAX_HELD) return;
    this.#held.push({
      time: isoTime(this.#clock),
      process: NAME,
      stream: "ramet",
      text: formatAccess(access),
    });
    this.#writing ??= this.#writeSoon().finally(() => {
      this.#writing = undefined;
    });
  }

  /** What was noted is written; what comes is not. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#writing;
  }

  /** And what is noted while others are written. */
  async #writeSoon(): Promise<void> {
    while (this.#held.length > 0) {
      await pause(FLUSH_MS, this.#closing.signal);
      const lines = this.#held;
      this.#held = [];
      if (!(await makeFolder(this.#folder))) return;
      await this.#file.append(lines);
      await this.#file.close();
    }
  }
}

/** False: its environment is being deleted. */
async function makeFolder(folder: string): Promise<boolean> {
  try {
    await mkdir(folder, { mode: 0o700 });
    return true;
  } catch (error) {
    return hasErrorCode(error, "EEXIST");
  }
}

function formatAccess({ method, path, status, ms, host, protocol }: Access): string {
  const message = `${method} ${path.slice(0, MAX_PATH)}`;
  return JSON.stringify({
    level: levelOf(status),
    message,
    status,
    ms: Math.round(ms),
    host,
    protocol,
  });
}

function levelOf(status: number): LogLevel {
  if (status >= 500) return "error";
  return status >= 400 ? "warn" : "info";
}
