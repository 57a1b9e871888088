import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

import { waitFor } from "../../src/base/clock.ts";
import { findGroupMembers, signalProcess } from "../../src/process/process.ts";

export type Launch = {
  readonly file: string;
  readonly args: readonly string[];
  readonly folder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** Runs as this user; otherwise as ours. */
  readonly user?: User | undefined;
};

export type User = { readonly uid: number; readonly gid: number };

/** A program that serves until it is stopped: it and all of its group. */
export type Service = { readonly pid: number; stop(): Promise<void> };

const STOP_LIMIT_MS = 15_000;

/** Runs to its end. Resolves with what it printed. @throws Error with all that it printed when it fails */
export async function run(launch: Launch): Promise<string> {
  launch.signal.throwIfAborted();
  const child = spawn(launch.file, launch.args, {
    ...spawnOptions(launch),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const stop = (): void => {
    if (child.pid !== undefined) signalProcess(-child.pid, "SIGTERM");
  };
  launch.signal.addEventListener("abort", stop);
  try {
    const [printed, complaint, code] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      exitCodeOf(child),
    ]);
    launch.signal.throwIfAborted();
    if (code === 0) return printed;
    throw new Error(`${launch.file} ${launch.args.join(" ")}: ${printed}${complaint}`);
  } finally {
    launch.signal.removeEventListener("abort", stop);
  }
}

/** In a group of its own, which a Ctrl-C in the terminal does not reach; whoever starts it stops it. */
export async function serve(
  launch: Omit<Launch, "signal">,
  stopSignal: NodeJS.Signals,
): Promise<Service> {
  const child = spawn(launch.file, launch.args, { ...spawnOptions(launch), stdio: "ignore" });
  await once(child, "spawn");
  const { pid } = child;
  if (pid === undefined) throw new Error(`${launch.file} has no pid.`);
  return { pid, stop: () => stopGroup(pid, stopSignal) };
}

function spawnOptions({ folder, environment, user }: Omit<Launch, "signal">): {
  cwd: string;
  env: Record<string, string | undefined>;
  detached: true;
  uid?: number;
  gid?: number;
} {
  return { cwd: folder, env: { ...environment }, detached: true, ...user };
}

async function exitCodeOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 1));
  });
}

async function stopGroup(pid: number, stopSignal: NodeJS.Signals): Promise<void> {
  signalProcess(-pid, stopSignal);
  const isGone = async (): Promise<true | undefined> =>
    (await findGroupMembers(pid)).length === 0 ? true : undefined;
  if ((await waitFor(isGone, { timeoutMs: STOP_LIMIT_MS, everyMs: 5 })) !== undefined) return;
  signalProcess(-pid, "SIGKILL");
}
