import { pause, sleep } from "../base/clock.ts";
import { type Exit, type PipedProgram, endGroup } from "../process/process.ts";
import { boundCommand, USUAL_BOUNDS } from "./bounds.ts";
import { LogFile } from "./log-file.ts";
import type { StepPlan } from "./plan.ts";
import { stepTimedOut } from "./problems.ts";
import { startPipedIn } from "./sandbox/enter.ts";

export type Step = StepPlan & { readonly logs: string; readonly signal: AbortSignal };

export type StepResult = Exit & { readonly lastLines: readonly string[] };

const GRACE_MS = 2_000;
/** Something it left behind may hold its output for ever. */
const DRAIN_MS = 250;

/** @throws `step_timed_out`, `program_failed`, or the signal's reason, once the command's group is gone */
export async function performStep(step: Step): Promise<StepResult> {
  step.signal.throwIfAborted();
  const log = new LogFile(step.logs, step.name);
  await log.write("ramet", [`starts: ${step.command}`]);
  try {
    const { command, folder, environment, sandbox, bounds = USUAL_BOUNDS } = step;
    const args = boundCommand(command, bounds);
    const launch = { file: "/bin/sh", args, folder, environment, user: null };
    const program = await startPipedIn(sandbox, launch);
    const exit = await superviseStep(step, program, log);
    return { ...exit, lastLines: log.lastLines() };
  } finally {
    await log.close();
  }
}

async function superviseStep(step: Step, program: PipedProgram, log: LogFile): Promise<Exit> {
  const { stdout, stderr } = program;
  const copied = Promise.all([log.copy("stdout", stdout), log.copy("stderr", stderr)]);
  const done = new AbortController();
  const exit = await Promise.race([program.exited, untilStopped(step, done.signal)]);
  done.abort();
  if (exit === undefined) await endGroup(program.pid, { graceMs: GRACE_MS });
  await Promise.race([copied, sleep(DRAIN_MS)]);
  stdout.destroy();
  stderr.destroy();
  await copied;
  if (exit === undefined) throw stopReason(step);
  const how =
    exit.signal === null ? `exited with code ${exit.exitCode}` : `was ended by ${exit.signal}`;
  await log.write("ramet", [how], exit.exitCode === 0 ? "info" : "error");
  return exit;
}

async function untilStopped(step: Step, done: AbortSignal): Promise<undefined> {
  await pause(step.timeoutMs, AbortSignal.any([step.signal, done]));
  return undefined;
}

function stopReason(step: Step): unknown {
  return step.signal.aborted ? step.signal.reason : stepTimedOut(step.name, step.timeoutMs);
}
