import { open } from "node:fs/promises";
import path from "node:path";

import { allDone } from "../../base/all-done.ts";
import { waitFor } from "../../base/clock.ts";
import { diskFull, saysDiskFull } from "../../base/disk-full.ts";
import type { Problem } from "../../base/problem.ts";
import { writeAtomically } from "../../base/write-atomically.ts";
import { MARK_VARIABLE } from "../../environment/places.ts";
import type { DatabasePlace } from "../../environment/places.ts";
import {
  findFamily,
  hasMark,
  isRunning,
  signalProcess,
  startDetached,
} from "../../process/process.ts";
import type { SyncMethod } from "../copy/flush.ts";
import { readSmallFile } from "../place/owned-files.ts";
import {
  makeSocketFolder,
  removeStaleSocket,
  sizeOf,
  socketIn,
  turnLog,
  writeSettings,
} from "../place/place-files.ts";
import { databaseFailed } from "../place/problems.ts";
import type { Programs } from "../place/programs.ts";

/** Recovery after a crash is part of a start. */
const START_LIMIT_MS = 60_000;
const START_STEP_MS = 3;
const STOP_STEP_MS = 3;
/** A fast stop ends sessions and writes a checkpoint. */
const FAST_STOP_MS = 15_000;
/** After an immediate stop the server itself kills what is left within 5 s. */
const IMMEDIATE_STOP_MS = 7_000;
const KILL_LIMIT_MS = 10_000;
const MAX_TAIL_BYTES = 8 * 1024;
const TAIL_LINES = 5;
/** No process has it: Linux and macOS stop far below. */
const NOBODY = 2_147_483_646;
/** Line of `postmaster.pid` with the word `ready`, counted from 0. */
const STATUS_LINE = 7;

/** The server of this place, if one runs: a pid alone may be anyone's, so the mark in its environment decides. */
export async function findPostmaster(place: DatabasePlace): Promise<number | undefined> {
  const { pid } = readLock(place);
  if (pid === undefined || !isRunning(pid)) return undefined;
  return (await hasMark(pid, MARK_VARIABLE, place.mark)) ? pid : undefined;
}

/** Waits for one that runs, and may be starting, or ending. False when it ended. @throws `database_failed` */
export async function adoptPostmaster(place: DatabasePlace, pid: number): Promise<boolean> {
  const state = await waitFor(() => stateOf(place, pid), {
    timeoutMs: START_LIMIT_MS,
    everyMs: START_STEP_MS,
  });
  if (state === undefined) throw databaseFailed(`get ready within ${START_LIMIT_MS / 1000} s`, []);
  return state === "ready";
}

export type StartOptions = {
  /** Of what it finds at a start after a crash or a backup; PostgreSQL's default is `fsync`. */
  readonly syncMethod?: SyncMethod;
  /** Nobody wants it any more: it is stopped again. */
  readonly signal?: AbortSignal;
};

/**
 * Starts the server, which outlives us. Resolves with its pid when it says that it takes connections.
 * @throws `database_failed`, or the signal's reason
 */
export async function startPostmaster(
  { bin, major }: Pick<Programs, "bin" | "major">,
  place: DatabasePlace,
  { syncMethod = "fsync", signal }: StartOptions = {},
): Promise<number> {
  const logBegin = await prepareStart(place, major);
  const pid = await startDetached(
    {
      file: path.join(bin, "postgres"),
      args: ["-D", place.folder, "-c", `recovery_init_sync_method=${syncMethod}`],
      folder: place.folder,
      environment: { [MARK_VARIABLE]: place.mark, PATH: "/usr/bin:/bin", LC_ALL: "C" },
      user: place.uid === null ? null : { uid: place.uid, gid: place.uid },
    },
    { output: place.log },
  );
  await untilReady(place, { pid, logBegin, isWanted: () => signal?.aborted !== true });
  signal?.throwIfAborted();
  return pid;
}

/** What a server needs to be there, and what would mislead it not to be. Resolves with where its log begins. */
async function prepareStart(place: DatabasePlace, major: number): Promise<number> {
  const [logBegin] = await allDone([
    turnLog(place).then(async () => sizeOf(place.log)),
    makeSocketFolder(place).then(async () => removeStaleSocket(socketIn(place.socketFolder))),
    writeSettings(place, major),
    disownLock(place),
  ]);
  return logBegin;
}

/** Fast, then immediate, then by force; a crash's recovery is due at the next start after the last two. */
export async function stopPostmaster(pid: number): Promise<void> {
  if (await endsAfter(pid, "SIGINT", FAST_STOP_MS)) return;
  if (await endsAfter(pid, "SIGQUIT", IMMEDIATE_STOP_MS)) return;
  // Each session's process has a group of its own and would outlive the server.
  const family = await findFamily(pid);
  for (const member of [pid, ...family]) if (isRunning(member)) signalProcess(member, "SIGKILL");
  const gone = await waitFor(() => (family.some(isRunning) ? undefined : true), {
    timeoutMs: KILL_LIMIT_MS,
  });
  if (gone === undefined) throw databaseFailed("stop", [`process ${pid} outlived SIGKILL`]);
}

async function endsAfter(pid: number, signal: NodeJS.Signals, timeoutMs: number): Promise<boolean> {
  if (!signalProcess(pid, signal)) return true;
  const ended = () => (isRunning(pid) ? undefined : true);
  return (await waitFor(ended, { timeoutMs, everyMs: STOP_STEP_MS })) !== undefined;
}

type Starting = {
  readonly pid: number;
  readonly logBegin: number;
  readonly isWanted: () => boolean;
};

/** One that is not wanted any more, or takes too long, is stopped again. */
async function untilReady(place: DatabasePlace, starting: Starting): Promise<void> {
  const { pid, logBegin, isWanted } = starting;
  const look = (): ReturnType<typeof stateOf> | "unwanted" =>
    isWanted() ? stateOf(place, pid) : "unwanted";
  const state = await waitFor(look, { timeoutMs: START_LIMIT_MS, everyMs: START_STEP_MS });
  if (state === "gone") throw endedAtStart(place, await readTail(place.log, logBegin));
  if (state === "ready") return;
  await stopPostmaster(pid);
  if (state === "unwanted") return;
  const seconds = START_LIMIT_MS / 1000;
  throw databaseFailed(`start within ${seconds} s`, await readTail(place.log, logBegin));
}

function endedAtStart({ folder }: DatabasePlace, lines: readonly string[]): Problem {
  return lines.some(saysDiskFull) ? diskFull(folder) : databaseFailed("start", lines);
}

/** undefined: not yet decided. */
function stateOf(place: DatabasePlace, pid: number): "ready" | "gone" | undefined {
  const lock = readLock(place);
  if (lock.pid === pid && lock.isReady) return "ready";
  return isRunning(pid) ? undefined : "gone";
}

type Lock = { readonly pid: number | undefined; readonly isReady: boolean };

/** What the server says of itself in `postmaster.pid`. */
function readLock({ folder }: DatabasePlace): Lock {
  const lines = readSmallFile(lockOf(folder))?.toString("latin1").split("\n") ?? [];
  const pid = Number(lines[0]);
  return {
    pid: Number.isSafeInteger(pid) && pid > 1 && pid < NOBODY ? pid : undefined,
    isReady: lines[STATUS_LINE]?.trim() === "ready",
  };
}

/**
 * The pid in a crashed server's lock may be another process's by now, and PostgreSQL would refuse to start. Only the
 * pid is replaced: by the rest of the lock the next server makes sure that no session of the last one still writes.
 */
async function disownLock({ folder }: DatabasePlace): Promise<void> {
  const lock = readSmallFile(lockOf(folder));
  if (lock === undefined) return;
  const [, ...rest] = lock.toString("latin1").split("\n");
  await writeAtomically(lockOf(folder), [NOBODY, ...rest].join("\n"), { mode: 0o644 });
}

function lockOf(folder: string): string {
  return path.join(folder, "postmaster.pid");
}

/** The last lines that were printed since the log was this long. */
async function readTail(log: string, begin: number): Promise<readonly string[]> {
  const end = await sizeOf(log);
  const start = Math.max(begin, end - MAX_TAIL_BYTES);
  if (end <= start) return [];
  const handle = await open(log, "r");
  try {
    const { buffer, bytesRead } = await handle.read(
      Buffer.alloc(end - start),
      0,
      end - start,
      start,
    );
    const lines = buffer.toString("utf8", 0, bytesRead).split("\n");
    return lines.filter((line) => line.trim() !== "").slice(-TAIL_LINES);
  } finally {
    await handle.close();
  }
}
