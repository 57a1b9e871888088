import { readFile } from "node:fs/promises";
import path from "node:path";

import { hasErrorCode } from "../../base/problem.ts";
import { runProgram } from "../../process/process.ts";
import { databaseFailed } from "../place/problems.ts";
import type { Programs } from "../place/programs.ts";
import type { Copied } from "./copy-folder.ts";

/** One file after another, or a whole file system in one go; PostgreSQL's words. */
export type SyncMethod = "fsync" | "syncfs";

/** A disk that takes longer than this for what is in memory is broken. */
const LIMIT_MS = 10 * 60_000;
/** To wait for more than this of other programs' bytes takes longer than to ask for each file of ours. */
const MAX_FOREIGN_BYTES = 256 * 1024 * 1024;
/** The first major version whose `initdb` may be told how to flush. */
const FIRST_TO_CHOOSE = 17;
const ENVIRONMENT = { PATH: "/usr/bin:/bin:/usr/sbin:/sbin", LC_ALL: "C" };

/** The cheaper way to bring what was just copied to the disk; both are safe. */
export async function chooseSyncMethod(copied: Copied): Promise<SyncMethod> {
  return planSync(parseUnwritten(await readMemory()), copied);
}

/** `unwritten`: bytes that the whole machine has yet to write, if it tells. */
export function planSync(
  unwritten: number | undefined,
  { bytes, flushedBytes, reflinked }: Copied,
): SyncMethod {
  if (unwritten === undefined) return "fsync";
  // A reflink shares blocks that are on the disk already.
  const foreign = unwritten - (reflinked ? 0 : bytes - flushedBytes);
  return foreign > MAX_FOREIGN_BYTES ? "fsync" : "syncfs";
}

/** Bytes that the whole machine has yet to write, of Linux's `/proc/meminfo`. */
export function parseUnwritten(text: string): number | undefined {
  const sizes = [/^Dirty: +(\d+) kB$/m, /^Writeback: +(\d+) kB$/m].map((line) => line.exec(text));
  if (sizes.includes(null)) return undefined;
  return sizes.reduce((sum, size) => sum + Number(size?.[1]) * 1024, 0);
}

/** Makes a data folder survive a power cut, as PostgreSQL itself does where it has to recover. */
export async function flushDataFolder(
  { bin, major }: Pick<Programs, "bin" | "major">,
  folder: string,
  method: SyncMethod,
): Promise<void> {
  const choice = major >= FIRST_TO_CHOOSE ? [`--sync-method=${method}`] : [];
  await run(path.join(bin, "initdb"), ["--sync-only", ...choice, `--pgdata=${folder}`], folder);
}

/** Makes everything under a folder survive a power cut: its whole file system is flushed, in one go. */
export async function flush(folder: string): Promise<void> {
  await run("sync", process.platform === "linux" ? ["-f", folder] : [], folder);
}

async function run(file: string, args: readonly string[], folder: string): Promise<void> {
  const launch = { file, args, folder, environment: ENVIRONMENT, user: null };
  const { exitCode, stderr } = await runProgram(launch, { timeoutMs: LIMIT_MS });
  if (exitCode !== 0) throw databaseFailed("reach the disk", [stderr.trim()]);
}

async function readMemory(): Promise<string> {
  try {
    return await readFile("/proc/meminfo", "latin1");
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return "";
    throw error;
  }
}
