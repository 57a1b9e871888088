/** The only room that starts programs, and that looks for those which run. */
import { constants, open } from "node:fs/promises";
import type { Readable, Writable } from "node:stream";

import * as channels from "./channel.ts";
import * as ending from "./ending.ts";
import * as holding from "./holding-still.ts";
import * as launching from "./launch.ts";
import { listListeningPorts } from "./listening.ts";
import { bearsMark, listMarked, type Marked } from "./marks.ts";
import { sumMemory } from "./memory.ts";
import { chooseFreePort, isFree } from "./ports.ts";
import { familyOf, isLive, listProcesses, signalIfThere } from "./process-table.ts";
import * as running from "./run-program.ts";
import { SignalRelay } from "./signal-relay.ts";
import * as using from "./use-scan.ts";
import * as yielding from "./yielding.ts";

export type ProcessUse = using.ProcessUse;
export type ProcessUser = launching.ProcessUser;
export type Launch = launching.Launch;
export type Exit = launching.Exit;
export type Channel = channels.Channel;
export type ProgramResult = running.ProgramResult;

export type PipedProgram = {
  /** Of the program, and of its process group. */
  readonly pid: number;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly exited: Promise<Exit>;
};

/** One that is spoken to as well. */
export type TalkingProgram = PipedProgram & { readonly stdin: Writable };

/** Its folder may belong to the user whose program it is: a link there must not lead us elsewhere. */
const APPEND_ONLY =
  constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY | constants.O_NOFOLLOW;

/**
 * Runs to its end; its whole group is ended on abort or time-out.
 * @throws `program_missing`, `program_failed`, `program_timed_out`, or the signal's reason
 */
export function runProgram(launch: Launch, options: running.RunOptions): Promise<ProgramResult> {
  return running.runToEnd(launch, options);
}

/** Outlives us: own session, no input, output appended to a file. Resolves with its pid once it runs. */
export async function startDetached(
  launch: Launch,
  options: { readonly output: string },
): Promise<number> {
  const { child, pid } = await startOutliving(launch, options, []);
  child.unref();
  return pid;
}

/** The same; whoever starts it may find that it is not needed: `end` reaches it alone, and nobody once it has ended. */
export async function startDetachedToEnd(
  launch: Launch,
  options: { readonly output: string },
): Promise<{ readonly pid: number; readonly end: () => void }> {
  const { child, pid } = await startOutliving(launch, options, []);
  child.unref();
  return { pid, end: () => void child.kill("SIGTERM") };
}

/** The same, joined with us by a channel as long as we live. */
export async function startDetachedWithChannel(
  launch: Launch,
  options: { readonly output: string },
): Promise<{ readonly pid: number; readonly channel: Channel }> {
  const { child, pid } = await startOutliving(launch, options, ["ipc"]);
  child.unref();
  child.channel?.unref();
  return { pid, channel: channels.openChannel(child) };
}

/** What joins us with whoever started us, if he wants to be. */
export function findOwnChannel(): Channel | undefined {
  return process.connected ? channels.openChannel(process) : undefined;
}

async function startOutliving(
  launch: Launch,
  { output: file }: { readonly output: string },
  more: readonly "ipc"[],
): Promise<launching.Spawned> {
  const output = await open(file, APPEND_ONLY, 0o600);
  try {
    const stdio = ["ignore", output.fd, output.fd, ...more] as const;
    return await launching.spawnLaunch(launch, { stdio, ownGroup: true });
  } finally {
    await output.close();
  }
}

/** In a process group of its own, without input, its output piped to whoever supervises it. */
export async function startPiped(launch: Launch): Promise<PipedProgram> {
  const stdio = ["ignore", "pipe", "pipe"] as const;
  const { child, pid, exited } = await launching.spawnLaunch(launch, {
    stdio,
    ownGroup: true,
  });
  if (child.stdout === null || child.stderr === null)
    throw new Error("A piped child has its pipes.");
  return { pid, stdout: child.stdout, stderr: child.stderr, exited };
}

/** The same, and it reads what we write to it: its end of that is ours. */
export async function startTalking(launch: Launch): Promise<TalkingProgram> {
  const stdio = ["pipe", "pipe", "pipe"] as const;
  const { child, pid, exited } = await launching.spawnLaunch(launch, { stdio, ownGroup: true });
  const { stdin, stdout, stderr } = child;
  if (stdin === null || stdout === null || stderr === null)
    throw new Error("A piped child has its pipes.");
  return { pid, stdin, stdout, stderr, exited };
}

/** Runs with the caller's terminal; SIGTERM and SIGHUP are passed on, and SIGINT where no terminal sends it to both. */
export async function runAttached(launch: Launch): Promise<Exit> {
  const relay = new SignalRelay({ passInterrupt: !process.stdin.isTTY });
  try {
    const { child, exited } = await launching.spawnLaunch(launch, {
      stdio: ["inherit", "inherit", "inherit"],
      ownGroup: false,
    });
    relay.passTo((signal) => child.kill(signal));
    return await exited;
  } finally {
    relay.close();
  }
}

/** SIGTERM to the group, SIGKILL after the grace; resolves when no member is left. @throws `process_stuck` */
export function endGroup(pid: number, options: { readonly graceMs: number }): Promise<void> {
  return ending.endGroup(pid, options);
}

/** A zombie does not run. */
export function isRunning(pid: number): boolean {
  return isLive(pid);
}

/** False when there is no such process. */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  return signalIfThere(pid, signal);
}

/** Processes, other than this one, in whose environment the variable's value starts with `prefix`. */
export async function findMarked(variable: string, prefix: string): Promise<readonly Marked[]> {
  return (await listMarked(variable)).filter(({ mark }) => mark.startsWith(prefix));
}

/** Whether the process runs with exactly this mark; a single look, where the others walk through all processes. */
export function hasMark(pid: number, variable: string, mark: string): Promise<boolean> {
  return bearsMark(pid, variable, mark);
}

/** Ends all that bear exactly this mark, until a scan finds none. @throws `process_stuck` */
export function endMarked(
  variable: string,
  mark: string,
  options: { readonly graceMs: number },
): Promise<void> {
  return ending.endMarked(variable, mark, options);
}

/** Holds all that bear exactly this mark still, and what descends from them. Resolves with them, parents first. */
export function holdStill(variable: string, mark: string): Promise<readonly number[]> {
  return holding.holdStill(variable, mark);
}

/** What was held still runs on. */
export function letRun(pids: readonly number[]): void {
  holding.letRun(pids);
}

/** From now on these take what processor time nobody else wants. */
export function yieldProcessor(pids: readonly number[]): void {
  yielding.yieldProcessor(pids);
}

/** How to look, again and again, at what processes with such marks take of the machine. */
export function openUseScan(
  variable: string,
  prefix: string,
): { take(): Promise<readonly ProcessUse[]> } {
  return new using.UseScan(variable, prefix);
}

/** On loopback; not one that this process gave away lately. @throws `ports_exhausted` */
export function findFreePort(): Promise<number> {
  return chooseFreePort();
}

export function isPortFree(port: number): Promise<boolean> {
  return isFree(port);
}

/** Bytes of these processes, pages that they share in parts; what is gone takes none. */
export function measureMemory(pids: readonly number[]): Promise<number> {
  return sumMemory(pids);
}

/** TCP ports on which these processes can be reached from loopback, ascending. */
export function findListeningPorts(pids: readonly number[]): Promise<readonly number[]> {
  return listListeningPorts(pids);
}

export function findGroupMembers(groupPid: number): Promise<readonly number[]> {
  return ending.findMembers(groupPid);
}

/** A group's members, and whatever descends from one of them, in groups of their own too. */
export async function findFamily(groupPid: number): Promise<readonly number[]> {
  return familyOf(groupPid, await listProcesses());
}
