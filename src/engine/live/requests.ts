import type { Clock } from "../../base/clock.ts";
import type { ProblemFields } from "../../base/problem.ts";
import { openAccessLog } from "../../runtime/runtime.ts";
import type { Access, AccessLog } from "../../runtime/runtime.ts";

/** What came of the requests that an environment was sent through the gateway. */
export class Requests {
  /** The folder of their log. */
  readonly logs: string;
  readonly #log: AccessLog;
  /** What answers show to be wrong, by process. */
  readonly #problems = new Map<string, ProblemFields>();

  constructor(logs: string, clock: Clock) {
    this.logs = logs;
    this.#log = openAccessLog(logs, clock);
  }

  note(access: Access): void {
    this.#log.note(access);
  }

  /** What a process's answer shows to be wrong, until another is a good one (null). */
  report(process: string, problem: ProblemFields | null): void {
    if (problem === null) this.#problems.delete(process);
    else this.#problems.set(process, problem);
  }

  problems(): readonly ProblemFields[] {
    return [...this.#problems.values()];
  }

  /** What was noted is written; what comes is not. */
  close(): Promise<void> {
    return this.#log.close();
  }
}
