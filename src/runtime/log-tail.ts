import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

import { parseFields, parseOneOf, parseText } from "../base/parse-fields.ts";
import { hasErrorCode } from "../base/problem.ts";
import { LOG_LEVELS, LOG_STREAMS, type LogLine } from "../environment/environment.ts";
import { MAX_LOG_BYTES, OLD_LOGS, logFile } from "./log-file.ts";
import type { LogFilter } from "./log-filter.ts";
import { understandLine } from "./understand-line.ts";

/** The folder may belong to another user: neither a link nor a pipe there must catch us. */
const READ_SAFELY = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** Holds the longest line, each byte of it escaped. */
const CHUNK_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;

type OpenLog = { readonly handle: FileHandle; readonly inode: number };

/** Reads one process's log from a place near its end onwards, through rotations. */
export class LogTail {
  readonly #logs: string;
  readonly #process: string;
  #file: OpenLog | undefined;
  /** Behind the last line that was read. */
  #offset = 0;

  constructor(logs: string, process: string) {
    this.#logs = logs;
    this.#process = process;
  }

  /** The last lines that stand there now and are asked for; `next` goes on behind them. */
  async recent(most: number, filter: LogFilter): Promise<readonly LogLine[]> {
    this.#file = await openLog(logFile(this.#logs, this.#process, 0));
    if (this.#file === undefined) return [];
    const current = await readLastLines(this.#file.handle, most, filter);
    this.#offset = current.end;
    const lines = [current.lines];
    for (let age = 1; age <= OLD_LOGS && countOf(lines) < most; age += 1) {
      lines.unshift(await this.#readOld(age, most - countOf(lines), filter));
    }
    return lines.flat();
  }

  /** Lines that were added since, at most a chunk of them; empty when there are none. */
  async next(): Promise<readonly LogLine[]> {
    this.#file ??= await openLog(logFile(this.#logs, this.#process, 0));
    for (let turns = 0; this.#file !== undefined && turns <= OLD_LOGS; turns += 1) {
      const lines = await this.#readOn(this.#file.handle);
      if (lines.length > 0) return lines;
      const newer = await this.#findNewer(this.#file);
      if (newer === undefined) return [];
      await this.#file.handle.close();
      this.#file = newer;
      this.#offset = 0;
    }
    return [];
  }

  async close(): Promise<void> {
    await this.#file?.handle.close();
    this.#file = undefined;
  }

  async #readOn(handle: FileHandle): Promise<readonly LogLine[]> {
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    const { bytesRead } = await handle.read(buffer, 0, CHUNK_BYTES, this.#offset);
    const end = buffer.subarray(0, bytesRead).lastIndexOf(NEWLINE) + 1;
    // A line longer than a chunk is none of ours: it is skipped.
    this.#offset += end === 0 && bytesRead === CHUNK_BYTES ? bytesRead : end;
    return parseLogLines(buffer.toString("utf8", 0, end));
  }

  /** The file that follows the one we have read to its end. */
  async #findNewer(file: OpenLog): Promise<OpenLog | undefined> {
    let newer: OpenLog | undefined;
    for (let age = 0; age <= OLD_LOGS; age += 1) {
      const other = await openLog(logFile(this.#logs, this.#process, age));
      if (other?.inode === file.inode) {
        await other.handle.close();
        return newer;
      }
      if (other === undefined) continue;
      await newer?.handle.close();
      newer = other;
    }
    return newer;
  }

  async #readOld(age: number, most: number, filter: LogFilter): Promise<readonly LogLine[]> {
    const file = await openLog(logFile(this.#logs, this.#process, age));
    if (file === undefined) return [];
    try {
      // Renamed under our hands: it has been read already.
      if (file.inode === this.#file?.inode) return [];
      return (await readLastLines(file.handle, most, filter)).lines;
    } finally {
      await file.handle.close();
    }
  }
}

/** Lines that are none of ours, or were cut by a crash, are left out. */
function parseLogLines(text: string): readonly LogLine[] {
  return text.split("\n").flatMap((line) => {
    const parsed = line === "" ? undefined : parseLogLine(line);
    return parsed === undefined ? [] : [parsed];
  });
}

function parseLogLine(line: string): LogLine | undefined {
  try {
    const fields = parseFields(JSON.parse(line), "line");
    const { level } = fields;
    return understandLine({
      time: parseText(fields["time"], "time"),
      process: parseText(fields["process"], "process"),
      stream: parseOneOf(fields["stream"], LOG_STREAMS),
      text: parseText(fields["text"], "text"),
      ...(level === undefined ? {} : { level: parseOneOf(level, LOG_LEVELS) }),
    });
  } catch {
    // Left out, as said above.
    return undefined;
  }
}

async function openLog(file: string): Promise<OpenLog | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(file, READ_SAFELY);
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR", "ELOOP", "ENXIO")) return undefined;
    throw error;
  }
  const stats = await handle.stat();
  if (stats.isFile()) return { handle, inode: stats.ino };
  await handle.close();
  return undefined;
}

/** Reads backwards, so that a short question to a long file is cheap. `end`: behind the last complete line. */
async function readLastLines(
  handle: FileHandle,
  most: number,
  filter: LogFilter,
): Promise<{ lines: readonly LogLine[]; end: number }> {
  const found: (readonly LogLine[])[] = [];
  let end: number | undefined;
  for await (const piece of readPieces(handle)) {
    end ??= piece.end;
    const lines = most === 0 ? [] : parseLogLines(piece.text);
    found.unshift(filter.select(lines));
    if (countOf(found) >= most || filter.isPast(lines[0])) break;
  }
  return { lines: most === 0 ? [] : found.flat().slice(-most), end: end ?? 0 };
}

/** The complete lines of a log's end, a chunk at a time, the last chunk first. */
async function* readPieces(
  handle: FileHandle,
): AsyncGenerator<{ readonly text: string; readonly end: number }, void, undefined> {
  const { size } = await handle.stat();
  // A writer of ours makes none that is longer; another user's file may be of any length.
  const least = Math.max(0, size - 2 * MAX_LOG_BYTES);
  let rest: Buffer = Buffer.alloc(0);
  for (let start = size; start > least && rest.length <= CHUNK_BYTES;) {
    const length = Math.min(CHUNK_BYTES, start - least);
    start -= length;
    const part = Buffer.alloc(length);
    await handle.read(part, 0, length, start);
    const bytes = Buffer.concat([part, rest]);
    // The first of its lines may have begun before it.
    const from = start === 0 ? 0 : bytes.indexOf(NEWLINE) + 1;
    const isWithinLine = start > 0 && from === 0;
    rest = isWithinLine ? bytes : bytes.subarray(0, from);
    const to = bytes.lastIndexOf(NEWLINE) + 1;
    if (!isWithinLine) yield { text: bytes.toString("utf8", from, to), end: start + to };
  }
}

function countOf(lists: readonly (readonly unknown[])[]): number {
  return lists.reduce((sum, list) => sum + list.length, 0);
}
