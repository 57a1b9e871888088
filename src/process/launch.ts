import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { stat } from "node:fs/promises";
import { Writable } from "node:stream";

import { hasErrorCode, messageOf } from "../base/problem.ts";
import { programFailed, programMissing } from "./problems.ts";

export type ProcessUser = { readonly uid: number; readonly gid: number };

export type Launch = {
  /** A path, or a name that is looked up on the environment's `PATH`. */
  readonly file: string;
  readonly args: readonly string[];
  readonly folder: string;
  /** All of it: nothing of ours is inherited. */
  readonly environment: Readonly<Record<string, string>>;
  /** null: our own. Another user's process has that group alone; ours are not passed on. */
  readonly user: ProcessUser | null;
  /** What it reads from the descriptors 3, 4, …: arguments that no list of processes shows. */
  readonly inputs?: readonly (string | Uint8Array)[];
};

export type Exit = { readonly exitCode: number | null; readonly signal: string | null };

type Stdio = readonly Exclude<Exclude<StdioOptions, string>[number], null>[];

export type Spawned = {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly exited: Promise<Exit>;
};

/** Resolves once the program runs. @throws `program_missing`, `program_failed` */
export async function spawnLaunch(
  launch: Launch,
  options: { readonly stdio: Stdio; readonly ownGroup: boolean },
): Promise<Spawned> {
  const child = spawnNow(launch, options);
  const exited = exitOf(child);
  try {
    await once(child, "spawn");
  } catch (error) {
    throw await explain(launch, error);
  }
  child.on("error", () => {
    // A signal that could not be sent: whoever sent it was told.
  });
  if (child.pid === undefined) throw new Error("A spawned child has a pid.");
  for (const [index, input] of (launch.inputs ?? []).entries()) feed(child.stdio[3 + index], input);
  return { child, pid: child.pid, exited };
}

function spawnNow(launch: Launch, options: { stdio: Stdio; ownGroup: boolean }): ChildProcess {
  try {
    return spawn(launch.file, [...launch.args], {
      cwd: launch.folder,
      env: { ...launch.environment },
      stdio: [...options.stdio, ...(launch.inputs ?? []).map(() => "pipe" as const)],
      detached: options.ownGroup,
      ...(launch.user === null ? {} : { uid: launch.user.uid, gid: launch.user.gid }),
    });
  } catch (error) {
    // A NUL byte, an argument list that is too long, no more processes.
    throw programFailed(launch.file, messageOf(error));
  }
}

function feed(stream: ChildProcess["stdio"][number], input: string | Uint8Array): void {
  if (!(stream instanceof Writable)) throw new Error("What is read from a descriptor is piped.");
  stream.on("error", () => {
    // It ended before it had read everything: its exit code says whether that was well.
  });
  stream.end(input);
}

function exitOf(child: ChildProcess): Promise<Exit> {
  const { promise, resolve } = Promise.withResolvers<Exit>();
  child.once("exit", (exitCode, signal) => resolve({ exitCode, signal }));
  return promise;
}

/** `ENOENT` is said of a missing program and of a missing folder alike. */
async function explain(launch: Launch, error: unknown): Promise<Error> {
  if (!hasErrorCode(error, "ENOENT")) return programFailed(launch.file, messageOf(error));
  // Whatever keeps us from it is for the person to see: it is named.
  const folder = await stat(launch.folder).catch(() => undefined);
  if (folder?.isDirectory() === true) return programMissing(launch.file);
  return programFailed(launch.file, `the folder ${launch.folder} does not exist`);
}
