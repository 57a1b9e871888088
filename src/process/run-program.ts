import type { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { StringDecoder } from "node:string_decoder";
import { setImmediate as nextTurn } from "node:timers/promises";

import { monotonicMs, pause } from "../base/clock.ts";
import { CapturedOutput } from "./captured-output.ts";
import { endGroup } from "./ending.ts";
import { type Exit, type Launch, type Spawned, spawnLaunch } from "./launch.ts";
import { programTimedOut } from "./problems.ts";

export type ProgramResult = Exit & {
  readonly stdout: string;
  readonly stderr: string;
  /** Whether both were read to their ends, and nothing of them was left out. */
  readonly isWhole: boolean;
};

export type RunOptions = {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  readonly input?: string;
  /** Of each stream: the beginning and the end are kept. */
  readonly maxOutputBytes?: number;
  readonly onOutput?: (stream: "stdout" | "stderr", chunk: string) => void;
};

const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;
/** A grandchild may hold our pipe for ever: once nothing has come for so long, nothing more is waited for. */
const SILENCE_MS = 250;
/** It may print for ever, too. */
const DRAIN_LIMIT_MS = 10_000;
const GRACE_MS = 2_000;

/** Runs to its end. @throws `program_timed_out`, or the signal's reason, once the whole group is gone. */
export async function runToEnd(launch: Launch, options: RunOptions): Promise<ProgramResult> {
  options.signal?.throwIfAborted();
  const input = options.input === undefined ? "ignore" : "pipe";
  const spawned = await spawnLaunch(launch, { stdio: [input, "pipe", "pipe"], ownGroup: true });
  const most = options.maxOutputBytes ?? MAX_OUTPUT_BYTES;
  const stdout = capture(spawned.child.stdout, most, (chunk) =>
    options.onOutput?.("stdout", chunk),
  );
  const stderr = capture(spawned.child.stderr, most, (chunk) =>
    options.onOutput?.("stderr", chunk),
  );
  feed(spawned, options.input);
  try {
    const exit = await exitWithin(spawned, launch, options);
    const hasEnded = await drained([stdout, stderr]);
    const isWhole = hasEnded && stdout.captured.isWhole && stderr.captured.isWhole;
    return { ...exit, stdout: stdout.captured.text(), stderr: stderr.captured.text(), isWhole };
  } finally {
    spawned.child.stdout?.destroy();
    spawned.child.stderr?.destroy();
  }
}

type Capture = { readonly captured: CapturedOutput; readonly ended: Promise<void> };

function capture(
  stream: Readable | null,
  most: number,
  onOutput: (chunk: string) => void,
): Capture {
  const captured = new CapturedOutput(most);
  if (stream === null) return { captured, ended: Promise.resolve() };
  const decoder = new StringDecoder("utf8");
  stream.on("data", (chunk: Buffer) => {
    captured.push(chunk);
    onOutput(decoder.write(chunk));
  });
  // A pipe that breaks has ended as well.
  return { captured, ended: finished(stream).catch(() => undefined) };
}

/** Resolves with whether all have ended. Silence counts only after a look at the pipes: under load the timer comes before what waits in them was read. */
async function drained(captures: readonly Capture[]): Promise<boolean> {
  const done = new AbortController();
  const ended = Promise.all(captures.map(({ ended: end }) => end)).then(() => done.abort());
  const heard = (): number => captures.reduce((sum, { captured }) => sum + captured.bytes, 0);
  const end = monotonicMs() + DRAIN_LIMIT_MS;
  for (let before = -1; before !== heard() && monotonicMs() < end && !done.signal.aborted;) {
    before = heard();
    await Promise.race([ended, pause(SILENCE_MS, done.signal)]);
    await nextTurn();
  }
  return done.signal.aborted;
}

function feed({ child }: Spawned, input: string | undefined): void {
  child.stdin?.on("error", () => {
    // It ended, or closed its input, before it had read everything: its exit code says whether that was well.
  });
  child.stdin?.end(input);
}

async function exitWithin(spawned: Spawned, launch: Launch, options: RunOptions): Promise<Exit> {
  const done = new AbortController();
  const stopped = stopReason(launch, options, done.signal);
  try {
    const first = await Promise.race([spawned.exited, stopped]);
    if (!(first instanceof Stop)) return first;
    await endGroup(spawned.pid, { graceMs: GRACE_MS });
    throw first.reason;
  } finally {
    done.abort();
  }
}

class Stop {
  readonly reason: unknown;

  constructor(reason: unknown) {
    this.reason = reason;
  }
}

/** Resolves when the program must be ended; never when it was `done` before. */
async function stopReason(launch: Launch, options: RunOptions, done: AbortSignal): Promise<Stop> {
  const { signal, timeoutMs } = options;
  const either = signal === undefined ? done : AbortSignal.any([signal, done]);
  await pause(timeoutMs, either);
  // By the caller; or by the program's own end, when nobody waits for this any more.
  if (either.aborted) return new Stop(signal?.reason);
  return new Stop(programTimedOut(launch.file, timeoutMs));
}
