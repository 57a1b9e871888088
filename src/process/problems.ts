import { Problem } from "../base/problem.ts";

export function programMissing(file: string): Problem {
  return new Problem({
    code: "program_missing",
    message: `The program ${file} was not found.`,
    remedy: `Install ${file}, or put the folder that holds it on the PATH.`,
  });
}

export function programFailed(file: string, reason: string): Problem {
  return new Problem({
    code: "program_failed",
    message: `The program ${file} could not be started: ${reason}.`,
    remedy:
      "Check that the file is executable, that its folder exists, and that the user may enter it.",
  });
}

export function programTimedOut(file: string, timeoutMs: number): Problem {
  return new Problem({
    code: "program_timed_out",
    message: `The program ${file} had not finished after ${timeoutMs / 1000} s and was ended.`,
    remedy: "Run it by hand to see what it waits for.",
  });
}

export function processStuck(pids: readonly number[]): Problem {
  return new Problem({
    code: "process_stuck",
    message: `The processes ${pids.slice(0, 10).join(", ")} did not end after SIGKILL.`,
    remedy:
      "They wait for a disk or belong to another user: look at them with `ps -o pid,user,stat,command`.",
  });
}

export function portsExhausted(): Problem {
  return new Problem({
    code: "ports_exhausted",
    message: "No free port was found on loopback.",
    remedy: "Stop some of the programs that listen, or some environments.",
  });
}
