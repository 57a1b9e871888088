import { messageOf, Problem } from "../../base/problem.ts";
import type { ProblemFields } from "../../base/problem.ts";
import { describeBug } from "../terminal/problems.ts";
import { tameText, wrap } from "../terminal/style.ts";
import type { Style } from "../terminal/style.ts";

export type Failure = {
  /** null: the person stopped it, and knows. */
  readonly problem: ProblemFields | null;
  readonly exitCode: number;
};

const EXIT_BUG = 1;
const EXIT_PROBLEM = 2;
const EXIT_CONFLICT = 3;
/** 128 + SIGINT, as a shell reports it. */
const EXIT_STOPPED = 130;

export function describeFailure(error: unknown): Failure {
  if (error instanceof Problem) {
    const exitCode = error.code === "sync_conflict" ? EXIT_CONFLICT : EXIT_PROBLEM;
    return { problem: error.toFields(), exitCode };
  }
  if (error instanceof Error && error.name === "AbortError")
    return { problem: null, exitCode: EXIT_STOPPED };
  return { problem: describeBug(messageOf(error)), exitCode: EXIT_BUG };
}

/** `✗` what is wrong, `→` what to do; on a screen its code too, by which it can be looked up. */
export function formatProblem({ code, message, remedy }: ProblemFields, style: Style): string {
  const mark = style.paint("red", "✗");
  const [first = "", ...others] = message.split("\n");
  const lines = [
    `${mark} ${style.paint("bold", wrap(tameText(first, false), style.columns - 2, "  "))}`,
    ...others.map((line) => `  ${wrap(tameText(line, false), style.columns - 2, "  ")}`),
    `${style.paint("cyan", "→")} ${wrap(tameText(remedy, false), style.columns - 2, "  ")}`,
    ...(style.hasColors ? [style.paint("dim", `  ${code}`)] : []),
  ];
  return lines.join("\n");
}
