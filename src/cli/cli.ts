/** The command line: an argument list becomes one call, and its answer text or JSON. */
import { systemClock } from "../base/clock.ts";
import { hasFlag, parseArguments } from "./arguments.ts";
import { parseCommandLine } from "./command-line.ts";
import { COMMANDS } from "./command-table.ts";
import type { Outcome } from "./command.ts";
import type * as contexts from "./context.ts";
import { describeFailure, formatProblem } from "./failure.ts";
import { styleFor } from "./style.ts";
import type { Style } from "./style.ts";

export type Context = contexts.Context;
export type Writer = contexts.Writer;

/** Does what the arguments say; resolves with the exit code and never rejects. */
export async function runCli(argv: readonly string[], context: Context): Promise<number> {
  const isJson = hasFlag(argv, "--json");
  try {
    const outcome = await perform(argv, context);
    print(outcome, { context, isJson });
    return outcome.exitCode;
  } catch (error) {
    return printFailure(error, { context, isJson });
  }
}

async function perform(argv: readonly string[], context: Context): Promise<Outcome> {
  const line = parseCommandLine(argv);
  if (line.kind === "version") return runCommand("version", [], context);
  if (line.kind === "help") return (await import("./help.ts")).createHelp(line);
  if (hasFlag(line.argv, "--help", "-h")) {
    return (await import("./help.ts")).createHelp({ group: null, name: line.name });
  }
  return runCommand(line.name, line.argv, context);
}

async function runCommand(
  name: string,
  argv: readonly string[],
  context: Context,
): Promise<Outcome> {
  const command = await COMMANDS[name]?.();
  if (command === undefined) throw new Error(`${name} is in no table of commands.`);
  const parsed = parseArguments(command, argv);
  const { Session } = await import("./session.ts");
  return command.execute(parsed, new Session(context, parsed));
}

type Printing = { readonly context: Context; readonly isJson: boolean };

function print(outcome: Outcome, { context, isJson }: Printing): void {
  if (outcome.result === undefined) return;
  if (isJson) {
    context.stdout.write(`${JSON.stringify(outcome.result)}\n`);
    return;
  }
  const text = outcome.toText(styleOf(context.stdout, context));
  if (text !== "") context.stdout.write(`${text}\n`);
}

function printFailure(error: unknown, { context, isJson }: Printing): number {
  const { problem, exitCode } = describeFailure(error);
  if (problem === null) return exitCode;
  if (isJson) context.stdout.write(`${JSON.stringify({ problem })}\n`);
  else context.stderr.write(`${formatProblem(problem, styleOf(context.stderr, context))}\n`);
  const hasTrace = context.environment["RAMET_TRACE"] === "1" && error instanceof Error;
  if (hasTrace) context.stderr.write(`${error.stack}\n`);
  return exitCode;
}

function styleOf(writer: Writer, { environment }: Context): Style {
  return styleFor(writer, environment, systemClock.now());
}
