import { stripVTControlCharacters } from "node:util";

import { monotonicMs, pause, sleep, untilAborted } from "../base/clock.ts";
import { Problem, type ProblemFields, messageOf } from "../base/problem.ts";
import type { LogLevel, ProcessState } from "../environment/environment.ts";
import { MARK_VARIABLE } from "../environment/places.ts";
import {
  type Exit,
  type PipedProgram,
  endGroup,
  endMarked,
  isPortFree,
} from "../process/process.ts";
import { boundCommand, USUAL_BOUNDS } from "./bounds.ts";
import { CALM_MS, Crashes } from "./crashes.ts";
import { LogFile } from "./log-file.ts";
import type { ProcessPlan } from "./plan.ts";
import {
  crashLooping,
  portIgnored,
  portTaken,
  processExited,
  processNotReady,
} from "./problems.ts";
import { type Subject, becomeObedient, becomeReady } from "./readiness.ts";
import { NO_RESTARTS, isHopeless, planRestart } from "./restarts.ts";
import { startPipedIn } from "./sandbox/enter.ts";
import { findTakenPort } from "./taken-port.ts";

export type Surroundings = {
  readonly logs: string;
  /** Of everything in the environment. */
  readonly mark: string;
  readonly onChange: () => void;
  /** A process asks its database for something. */
  readonly onUse: () => void;
  /** Awaited before anybody is told that it is ready there. */
  readonly onServing: (port: number) => Promise<void>;
};

/** How a life went. */
type Life = { readonly readyMs: number | null; readonly problem: ProblemFields };

/** Tells a process's strays from those of its neighbours, whose mark is the same. */
const PROCESS_MARK_VARIABLE = "RAMET_PROCESS_MARK";
const GRACE_MS = 5_000;
/** Somebody who has lost all marks may hold the pipes for ever. */
const DRAIN_MS = 500;
const QUOTED_LINES = 6;
const MAX_QUOTE = 1_200;

/** One process, kept running until it is stopped. */
export class SupervisedProcess {
  readonly plan: ProcessPlan;
  readonly #surroundings: Surroundings;
  readonly #log: LogFile;
  #state: ProcessState;
  #restarts = NO_RESTARTS;
  readonly #crashes = new Crashes();
  /** Said still while it runs again, until it has been calm for a while. */
  #loop: ProblemFields | null = null;
  #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(plan: ProcessPlan, surroundings: Surroundings) {
    this.plan = plan;
    this.#surroundings = surroundings;
    this.#log = new LogFile(surroundings.logs, plan.name);
    this.#state = { name: plan.name, state: "stopped", port: plan.port, pid: null, problem: null };
  }

  state(): ProcessState {
    return this.#state;
  }

  start(): void {
    if (this.plan.problem !== null) {
      this.#update({ state: "waiting", problem: this.plan.problem });
      return;
    }
    this.#restarts = NO_RESTARTS;
    this.#crashes.forget();
    this.#loop = null;
    this.#stopping = new AbortController();
    this.#update({ state: "starting", problem: null });
    this.#running = this.#run(this.#stopping.signal);
  }

  /** Resolves when nothing of it is left. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await this.#log.close();
    this.#update({ state: "stopped", pid: null, problem: null, port: this.plan.port });
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const life = await this.#live(signal).catch(failedLife);
      if (signal.aborted) return;
      this.#restarts = planRestart(this.#restarts, life.readyMs);
      this.#update({
        state: this.#downState(),
        pid: null,
        port: this.plan.port,
        problem: life.problem,
      });
      await this.#say(`is started again in ${this.#restarts.delayMs / 1000} s`);
      await pause(this.#restarts.delayMs, signal);
    }
  }

  async #live(signal: AbortSignal): Promise<Life> {
    const { port, command } = this.plan;
    this.#log.forgetLastLines();
    const [wasTaken] = await Promise.all([
      port !== null && isPortFree(port).then((isFree) => !isFree),
      this.#say(`starts: ${command}`),
    ]);
    const program = await this.#spawn();
    if (program instanceof Problem) return { readyMs: null, problem: program.toFields() };
    this.#update({ pid: program.pid });
    const over = new AbortController();
    const closed = new AbortController();
    const copied = this.#copyOutput(program, closed.signal);
    const ready = this.#watch({ ...this.#subject(program.pid), wasTaken }, over.signal);
    await Promise.race([program.exited, untilAborted(signal)]);
    const endMs = monotonicMs();
    over.abort();
    await this.#end(program.pid);
    closed.abort();
    const [exit, readySince] = await Promise.all([program.exited, ready, copied]);
    return {
      readyMs: readySince === null ? null : endMs - readySince,
      problem: await this.#explain(exit),
    };
  }

  async #spawn(): Promise<PipedProgram | Problem> {
    const environment = {
      ...this.plan.environment,
      [MARK_VARIABLE]: this.#surroundings.mark,
      [PROCESS_MARK_VARIABLE]: this.#processMark(),
    };
    const { command, folder, sandbox, bounds = USUAL_BOUNDS } = this.plan;
    try {
      const args = boundCommand(command, bounds);
      const launch = { file: "/bin/sh", args, folder, environment, user: null };
      return await startPipedIn(sandbox, launch);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      await this.#say(error.message, "error");
      return error;
    }
  }

  async #copyOutput({ stdout, stderr }: PipedProgram, over: AbortSignal): Promise<void> {
    const copied = Promise.all([
      this.#log.copy("stdout", stdout),
      this.#log.copy("stderr", stderr),
    ]);
    await Promise.race([copied, untilAborted(over)]);
    await Promise.race([copied, sleep(DRAIN_MS)]);
    stdout.destroy();
    stderr.destroy();
    await copied;
  }

  /** Resolves, once the process is over, with the moment at which it became ready. */
  async #watch(subject: Subject, signal: AbortSignal): Promise<number | null> {
    let since: number | null = null;
    try {
      const port = await becomeReady(subject, { signal, onLate: (why) => this.#beLate(why) });
      since = monotonicMs();
      await this.#beReady(port);
      void this.#calmDown(signal);
      if (port !== subject.port) await this.#beReady(await becomeObedient(subject, signal));
    } catch (error) {
      if (!signal.aborted) this.#beLate(messageOf(error));
    }
    return since;
  }

  async #beReady(port: number | null): Promise<void> {
    if (port !== null) await this.#surroundings.onServing(port);
    this.#restarts = { ...this.#restarts, failures: 0 };
    this.#update({ state: "ready", port, problem: this.#findFlaw(port) });
    void this.#say(port === null ? "runs" : `is ready on port ${port}`);
  }

  /** What is wrong with a process that serves. */
  #findFlaw(port: number | null): ProblemFields | null {
    const { name, port: assigned } = this.plan;
    if (port === null || assigned === null || port === assigned) return this.#loop;
    return this.#loop ?? portIgnored(name, { port, assigned }).toFields();
  }

  async #calmDown(signal: AbortSignal): Promise<void> {
    if (this.#loop === null) return;
    await pause(CALM_MS, signal);
    // It ended again: no calm.
    if (signal.aborted) return;
    this.#crashes.forget();
    this.#loop = null;
    this.#update({ problem: this.#findFlaw(this.#state.port) });
  }

  #beLate(why: string): void {
    const { name, port, ready } = this.plan;
    if (port === null) return;
    const problem = this.#findPortTaken() ?? processNotReady(name, { port, ready, why });
    this.#update({ state: "failed", problem: problem.toFields() });
    void this.#say(problem.message, "error");
  }

  async #end(pid: number): Promise<void> {
    try {
      await endGroup(pid, { graceMs: GRACE_MS });
      await endMarked(PROCESS_MARK_VARIABLE, this.#processMark(), { graceMs: GRACE_MS });
    } catch (error) {
      // One that the kernel cannot end must not end the keeper.
      if (!(error instanceof Problem)) throw error;
      await this.#say(error.message, "error");
    }
  }

  async #explain({ exitCode, signal }: Exit): Promise<ProblemFields> {
    const how = signal === null ? `exited with code ${exitCode}` : `was ended by ${signal}`;
    await this.#say(how, "error");
    const ended = { how, lines: this.#lastLines().slice(-QUOTED_LINES) };
    const taken = this.#findPortTaken();
    if (taken !== undefined) return taken.toFields();
    this.#crashes.note(monotonicMs());
    const times = this.#crashes.findLoop(monotonicMs());
    if (times === undefined) return processExited(this.plan.name, ended).toFields();
    this.#loop = crashLooping(this.plan.name, { ...ended, times }).toFields();
    return this.#loop;
  }

  /** It wanted another port than the one assigned, and somebody has it. */
  #findPortTaken(): Problem | undefined {
    const { name, port } = this.plan;
    const taken = findTakenPort(this.#lastLines());
    if (taken === undefined || port === null || taken.port === port) return undefined;
    return portTaken(name, taken);
  }

  #lastLines(): readonly string[] {
    return this.#log
      .lastLines()
      .map(stripVTControlCharacters)
      .filter((line) => line.trim() !== "")
      .map((line) => line.slice(0, MAX_QUOTE / QUOTED_LINES));
  }

  #subject(pid: number): Omit<Subject, "wasTaken"> {
    const mark = { variable: PROCESS_MARK_VARIABLE, value: this.#processMark() };
    return { pid, port: this.plan.port, ready: this.plan.ready, mark };
  }

  #processMark(): string {
    return `${this.#surroundings.mark}.${this.plan.name}`;
  }

  #downState(): "failed" | "restarting" {
    return isHopeless(this.#restarts) ? "failed" : "restarting";
  }

  async #say(text: string, level: LogLevel = "info"): Promise<void> {
    await this.#log.write("ramet", [text], level);
  }

  #update(change: Partial<ProcessState>): void {
    this.#state = { ...this.#state, ...change };
    this.#surroundings.onChange();
  }
}

/** The system refused us something, such as one more descriptor: no reason for the keeper to end. */
function failedLife(error: unknown): Life {
  const remedy = "Look at the machine's limits; the process is started again by itself.";
  return {
    readyMs: null,
    problem: { code: "process_not_kept", message: messageOf(error), remedy },
  };
}
