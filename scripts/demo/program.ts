import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";

export type Program = {
  readonly file: string;
  readonly args: readonly string[];
  readonly folder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
};

export type Ended = { readonly exitCode: number; readonly stdout: string; readonly stderr: string };

/**
 * Runs a program to its end, in a process group of its own: a Ctrl-C in the terminal is ours alone to act on.
 * When the signal is aborted the group is told to end.
 */
export async function runProgram(program: Program): Promise<Ended> {
  program.signal.throwIfAborted();
  const child = spawn(program.file, program.args, {
    cwd: program.folder,
    env: program.environment,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const stop = (): void => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGTERM");
  };
  program.signal.addEventListener("abort", stop);
  try {
    const [stdout, stderr, exitCode] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      new Promise<number>((resolve, reject) => {
        child.once("error", reject);
        child.once("exit", (code) => resolve(code ?? 1));
      }),
    ]);
    program.signal.throwIfAborted();
    return { exitCode, stdout, stderr };
  } finally {
    program.signal.removeEventListener("abort", stop);
  }
}
