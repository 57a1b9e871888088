import { execFile, execFileSync } from "node:child_process";
import { closeSync, openSync, readSync, readdirSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { promisify } from "node:util";

import { hasErrorCode } from "../base/problem.ts";

export type ProcessEntry = {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
};

export const IS_LINUX = process.platform === "linux";

/** Of one answer of `ps` or `lsof`. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const ANSWER_TIMEOUT_MS = 10_000;
/** Files of /proc that are read in one turn of the event loop: about a millisecond's. */
const AT_ONCE = 64;
/** Of one such file; the kernel allows an environment 6 MiB. */
const MAX_FILE_BYTES = 6 * 1024 * 1024;

/** Every process that lives; a zombie does not. */
export async function listProcesses(): Promise<readonly ProcessEntry[]> {
  if (!IS_LINUX) return parsePs(await askSystem("ps", ["-axo", "pid=,ppid=,pgid=,stat="]));
  const entries = await eachOf(listPids(), (pid) => parseStat(readProc(`/proc/${pid}/stat`)));
  return entries.filter((entry) => entry !== undefined);
}

export function listPids(): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

export function isLive(pid: number): boolean {
  if (!signalIfThere(pid, 0)) return false;
  if (IS_LINUX) return parseStat(readProc(`/proc/${pid}/stat`)) !== undefined;
  return isLiveForPs(pid);
}

/** False when there is nobody to signal; a negative pid is a group. @throws when it is not ours to signal */
export function signalIfThere(pid: number, signal: NodeJS.Signals | 0): boolean {
  if (!Number.isInteger(pid) || Math.abs(pid) <= 1)
    throw new Error(`${pid} is no process to signal.`);
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if (hasErrorCode(error, "ESRCH")) return false;
    if (hasErrorCode(error, "EPERM") && signal === 0) return true;
    throw error;
  }
}

/** A group's members, and whatever descends from one of them, in a group of its own too. */
export function familyOf(group: number, entries: readonly ProcessEntry[]): readonly number[] {
  const family = new Set(
    entries.filter((entry) => entry.group === group || entry.pid === group).map((e) => e.pid),
  );
  for (let size = -1; size !== family.size;) {
    size = family.size;
    for (const entry of entries) if (family.has(entry.parent)) family.add(entry.pid);
  }
  return [...family];
}

/** Does the work for all, others having their turn in between; the answers are in order. */
export async function eachOf<T, R>(items: readonly T[], work: (item: T) => R): Promise<R[]> {
  const answers: R[] = [];
  for (let start = 0; start < items.length; start += AT_ONCE) {
    if (start > 0) await nextTurn();
    answers.push(...items.slice(start, start + AT_ONCE).map(work));
  }
  return answers;
}

/**
 * What a file of /proc says; empty when its process is gone or not ours to see. At once: the kernel answers from memory
 * in microseconds, and to ask for hundreds of them by way of threads costs ten times as much.
 */
export function readProc(file: string): string {
  try {
    const fd = openSync(file, "r");
    try {
      return readAll(fd);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (isGone(error)) return "";
    throw error;
  }
}

export function isGone(error: unknown): boolean {
  return hasErrorCode(error, "ENOENT", "ESRCH", "EACCES", "EPERM", "EINVAL");
}

/** What `ps` or `lsof` prints; they exit with 1 when there is nothing to tell. */
export async function askSystem(file: string, args: readonly string[]): Promise<string> {
  try {
    const options = { maxBuffer: MAX_ANSWER_BYTES, timeout: ANSWER_TIMEOUT_MS };
    return (await promisify(execFile)(file, [...args], options)).stdout;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === 1) {
      return "stdout" in error ? String(error.stdout) : "";
    }
    throw error;
  }
}

/** `pid (name) state parent group ...`; the name may hold spaces and parentheses. */
export function parseStat(text: string): ProcessEntry | undefined {
  const end = text.lastIndexOf(")");
  const [state = "Z", parent, group] = text.slice(end + 2).split(" ");
  const pid = Number.parseInt(text, 10);
  if (end < 0 || !Number.isInteger(pid) || isDeadState(state)) return undefined;
  return { pid, parent: Number(parent), group: Number(group) };
}

/** Lines of `pid ppid pgid stat`. */
export function parsePs(text: string): readonly ProcessEntry[] {
  return text.split("\n").flatMap((line) => {
    const [pid, parent, group, state = "Z"] = line.trim().split(/\s+/);
    if (isDeadState(state)) return [];
    return [{ pid: Number(pid), parent: Number(parent), group: Number(group) }];
  });
}

/**
 * Whether there is an environment for us to read, or soon will be: `execve` takes the old program's away before it sets up the new
 * one's, which has no place (0) until then. One that is empty begins where it ends. See proc_pid_stat(5), fields 3, 23, 26, 50 and 51.
 */
export function hasEnvironment(pid: number): boolean {
  const text = readProc(`/proc/${pid}/stat`);
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const field = (number: number): string | undefined => fields[number - 3];
  const isOfKernel = field(23) === "0";
  const isHidden = field(26) === "1";
  if (isDeadState(field(3) || "Z") || isOfKernel || isHidden) return false;
  return field(50) === "0" || field(50) !== field(51);
}

function isDeadState(state: string): boolean {
  return state.startsWith("Z") || state.startsWith("X");
}

const chunk = Buffer.allocUnsafe(64 * 1024);

function readAll(fd: number): string {
  let text = "";
  while (text.length < MAX_FILE_BYTES) {
    const bytesRead = readSync(fd, chunk);
    if (bytesRead === 0) break;
    text += chunk.toString("latin1", 0, bytesRead);
  }
  return text;
}

function isLiveForPs(pid: number): boolean {
  try {
    return !isDeadState(
      execFileSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" }).trim() || "Z",
    );
  } catch {
    // `ps` exits with 1 when there is no such process.
    return false;
  }
}
