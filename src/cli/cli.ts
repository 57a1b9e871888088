/**
 * The command line: an argument list becomes one call, and its answer text or JSON. Its folders, each built on those
 * before it: `grammar/`, what may be written; `terminal/`, where a person sits; `text/`, how answers read; `connection/`,
 * the way to a server; `session/`, what a command works with; and `commands/`.
 */
import { systemClock } from "../base/clock.ts";
import { parseCommandLine } from "./command-line.ts";
import { COMMANDS } from "./command-table.ts";
import { findRemote } from "./connection/remote-server.ts";
import { hasFlag, parseArguments } from "./grammar/arguments.ts";
import type { Outcome } from "./session/command.ts";
import type * as contexts from "./terminal/context.ts";
import { styleFor } from "./terminal/style.ts";
import type { Style } from "./terminal/style.ts";
import { describeFailure, formatProblem } from "./text/failure.ts";
import { formatHints } from "./text/hints.ts";

export type Context = contexts.Context;
export type Writer = contexts.Writer;

/** What a script of `ramet completion` asks with, before the words that were typed. */
const COMPLETE_VERB = "__complete";

/** Does what the arguments say; resolves with the exit code and never rejects. */
export async function runCli(argv: readonly string[], world: Context): Promise<number> {
  const context = hasFlag(argv, "--no-color") ? withoutColors(world) : world;
  const isJson = hasFlag(argv, "--json");
  const isQuiet = hasFlag(argv, "--quiet", "-q");
  try {
    if (argv[0] === COMPLETE_VERB) return await printCandidates(argv.slice(1), context);
    const outcome = await perform(argv, context);
    print(outcome, { context, isJson });
    if (!isJson && !isQuiet) printHints(outcome, context);
    return outcome.exitCode;
  } catch (error) {
    return printFailure(error, { context, isJson });
  }
}

/** What a shell asks at each press of Tab; it shows no mistakes. */
async function printCandidates(words: readonly string[], context: Context): Promise<number> {
  const { completeWords } = await import("./completion.ts");
  const lines = await completeWords(words, context);
  context.stdout.write(lines.map((line) => `${line}\n`).join(""));
  return 0;
}

function withoutColors(context: Context): Context {
  return { ...context, environment: { ...context.environment, NO_COLOR: "1" } };
}

async function perform(argv: readonly string[], context: Context): Promise<Outcome> {
  const line = parseCommandLine(argv);
  if (line.kind === "version") return runCommand("version", [], context);
  if (line.kind === "help")
    return (await import("./help.ts")).createHelp(line, hasFlag(argv, "--json"));
  if (hasFlag(line.argv, "--help", "-h")) {
    return (await import("./help.ts")).createHelp(
      { group: null, name: line.name },
      hasFlag(argv, "--json"),
    );
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
  const { Session } = await import("./session/session.ts");
  const remote = command.isOfMachine ? undefined : await findRemote(context);
  return command.execute(parsed, new Session({ ...context, remote }, parsed));
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

/** Only where a person reads both: what a script keeps of either is the answer alone. */
function printHints({ hints }: Outcome, context: Context): void {
  const { stdout, stderr } = context;
  if (hints.length === 0 || !stdout.isTerminal || !stderr.isTerminal) return;
  stderr.write(`${formatHints(hints, styleOf(stderr, context))}\n`);
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
