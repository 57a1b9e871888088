import { Problem } from "../base/problem.ts";
import type { ReadyCheck } from "../environment/manifest.ts";
import type { TakenPort } from "./taken-port.ts";

export function processExited(
  name: string,
  how: { readonly how: string; readonly lines: readonly string[] },
): Problem {
  return new Problem({
    code: "process_exited",
    message: `The process ${name} ${how.how}${quote(how.lines)}`,
    remedy: `Run \`ramet logs --process ${name}\` to see all it printed.`,
  });
}

export function crashLooping(
  name: string,
  ended: { readonly times: number; readonly how: string; readonly lines: readonly string[] },
): Problem {
  return new Problem({
    code: "crash_loop",
    message: `The process ${name} ended ${ended.times} times in the last minutes; last it ${ended.how}${quote(ended.lines)}`,
    remedy: `Run \`ramet logs --process ${name} --level error\` to see what ends it.`,
  });
}

/** It serves all the same, a little later. */
export function portIgnored(
  name: string,
  { port, assigned }: { readonly port: number; readonly assigned: number },
): Problem {
  return new Problem({
    code: "port_ignored",
    message: `The process ${name} listens on port ${port}, not on the ${assigned} it was given; it was found there, which takes a moment at each start.`,
    remedy: `Make its command listen on $PORT, or write "port": ${port} of the process in ramet.json.`,
  });
}

export function portTaken(name: string, taken: TakenPort): Problem {
  const port = taken.port ?? 3000;
  return new Problem({
    code: "port_taken",
    message: `The process ${name} listens on a port that its code names, which another program has: ${taken.line}`,
    remedy: `Make its code listen on $PORT. Of a Node program, "port": ${port} of the process in ramet.json is enough.`,
  });
}

export function processNotReady(
  name: string,
  failure: { readonly port: number; readonly ready: ReadyCheck; readonly why: string },
): Problem {
  const seconds = failure.ready.kind === "none" ? 0 : failure.ready.timeoutMs / 1000;
  return new Problem({
    code: "process_not_ready",
    message: `The process ${name} runs, but was not ready on its port ${failure.port} within ${seconds} s: ${failure.why}.`,
    remedy: 'Make its command listen on $PORT, or set its "ready" in ramet.json.',
  });
}

export function relayPortTaken(port: number): Problem {
  return new Problem({
    code: "relay_port_taken",
    message: `The port ${port} on 127.0.0.1, which leads to a socket of this environment, is taken by another program.`,
    remedy: "Restart the environment: it is then given another port.",
  });
}

export function keeperFailed(log: string, reason: string): Problem {
  return new Problem({
    code: "keeper_failed",
    message: `The program that keeps this environment's processes did not start: ${reason}.`,
    remedy: `Look into ${log}.`,
  });
}

export function keeperGone(): Problem {
  return new Problem({
    code: "keeper_gone",
    message: "The program that keeps this environment's processes has ended.",
    remedy: "Start the environment again with `ramet env start`.",
  });
}

export function keeperSilent(): Problem {
  return new Problem({
    code: "keeper_silent",
    message: "The program that keeps this environment's processes does not answer.",
    remedy:
      "Stop the environment with `ramet env stop NAME`, then start it with `ramet env start NAME`.",
  });
}

export function logPatternInvalid(pattern: string, why: string): Problem {
  return new Problem({
    code: "log_pattern_invalid",
    message: `${JSON.stringify(pattern.slice(0, 80))} is no regular expression: ${why}.`,
    remedy: "Put a backslash before characters that stand for themselves, such as \\( or \\[.",
  });
}

export function logPatternSlow(pattern: string): Problem {
  return new Problem({
    code: "log_pattern_slow",
    message: `The regular expression ${JSON.stringify(pattern.slice(0, 80))} takes too long.`,
    remedy: "Leave out a repetition inside a repetition, such as (a+)+.",
  });
}

export function stepTimedOut(name: string, timeoutMs: number): Problem {
  return new Problem({
    code: "step_timed_out",
    message: `The command of ${name} had not finished after ${timeoutMs / 1000} s and was ended.`,
    remedy: `Run \`ramet logs --process ${name}\` to see how far it came.`,
  });
}

export function tooManyFolders(folder: string, most: number): Problem {
  return new Problem({
    code: "too_many_folders",
    message: `${folder} holds more than ${most} folders, too many to watch for changes.`,
    remedy:
      'Start `ramet dev` in a smaller folder, or set "reloads": true for processes that see edits by themselves.',
  });
}

export function watchLimitReached(folder: string): Problem {
  return new Problem({
    code: "watch_limit_reached",
    message: `The system lets us watch no more folders for changes, beginning with ${folder}.`,
    remedy:
      "Raise the limit with `sudo sysctl fs.inotify.max_user_watches=524288`, or stop other watchers.",
  });
}

/** Ends a sentence with the lines that a program printed, one below the other. */
function quote(lines: readonly string[]): string {
  if (lines.length === 0) return "; it printed nothing.";
  return `:\n${lines.map((line) => `  ${line}`).join("\n")}`;
}
