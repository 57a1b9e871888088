import { SUMMARIES } from "./command-summaries.ts";
import { COMMANDS, SECTIONS } from "./command-table.ts";
import { optionsOf, usageOf } from "./grammar/arguments.ts";
import type { CommandShape, Option } from "./grammar/command-shape.ts";
import type { Command, Outcome } from "./session/command.ts";
import { NO_BREAK, padTo, wrap } from "./terminal/style.ts";
import type { Style } from "./terminal/style.ts";

type Asked = { readonly group: string | null; readonly name: string | null };

/** The help of one command, of a group such as `env`, or of all. `isJson`: whoever asks is a program, and gets all of it. */
export async function createHelp({ group, name }: Asked, isJson: boolean): Promise<Outcome> {
  const load = name === null ? undefined : COMMANDS[name];
  if (load !== undefined) return createCommandHelp(await load());
  const shown = listSummaries().filter((one) => group === null || one.name.startsWith(`${group} `));
  return {
    result: isJson ? await describeCommands(shown.map((one) => one.name)) : [],
    toText: (style) => (group === null ? formatAll(shown, style) : formatGroup(shown, style)),
    hints: [],
    exitCode: 0,
  };
}

function createCommandHelp(command: Command): Outcome {
  return {
    result: describeCommand(command),
    toText: (style) => formatCommand(command, style),
    hints: [],
    exitCode: 0,
  };
}

async function describeCommands(names: readonly string[]): Promise<unknown> {
  const loaded = await Promise.all(names.map(async (name) => COMMANDS[name]?.()));
  return loaded.filter((command) => command !== undefined).map(describeCommand);
}

function describeCommand(command: CommandShape): Record<string, unknown> {
  const { name, summary, positionals, examples } = command;
  return {
    name,
    summary,
    usage: usageOf(command),
    positionals,
    options: optionsOf(command),
    examples,
  };
}

type Summary = { readonly name: string; readonly term: string; readonly summary: string };

/** Of a term such as `env create NAME`, what is written small is the name. */
function listSummaries(): readonly Summary[] {
  return Object.entries(SUMMARIES).map(([term, summary]) => {
    const words = term.split(" ").filter((word) => word === word.toLowerCase());
    return { name: words.join(" "), term, summary };
  });
}

function formatAll(commands: readonly Summary[], style: Style): string {
  const names = commands.map(({ name }) => name);
  const sections = SECTIONS.map(([title, first, last]) => {
    const shown = commands.slice(names.indexOf(first), names.indexOf(last) + 1);
    return `${style.paint("bold", title)}\n${formatSummaries(shown, style)}`;
  });
  const { paint } = style;
  return [
    wrap(
      `${paint("bold", "ramet")}  Fork your running app. Give a copy to every agent.`,
      style.columns,
    ),
    `${paint("dim", "Usage:")} ramet COMMAND [FLAGS]`,
    ...sections,
    [
      paint(
        "dim",
        wrap("Every command takes --json, --quiet, --no-color and --help.", style.columns),
      ),
      paint("dim", wrap("`ramet help COMMAND` tells more about one.", style.columns)),
    ].join("\n"),
  ].join("\n\n");
}

function formatGroup(commands: readonly Summary[], style: Style): string {
  return [
    formatSummaries(commands, style),
    style.paint("dim", wrap("`ramet help COMMAND` tells more about one.", style.columns)),
  ].join("\n\n");
}

function formatSummaries(commands: readonly Summary[], style: Style): string {
  return formatPairs(
    commands.map(({ term, summary }) => [term, summary] as const),
    style,
  );
}

function formatCommand(command: CommandShape, style: Style): string {
  const { paint } = style;
  const { summary, description, positionals, examples } = command;
  const options = Object.entries(optionsOf(command)).map(
    ([name, option]) => [formatOption(name, option), option.summary] as const,
  );
  const words = positionals.map(({ name, summary: meaning }) => [name, meaning] as const);
  const lines = examples.map(
    ({ line, why }) => `  ${line}\n    ${paint("dim", wrap(why, style.columns - 4, "    "))}`,
  );
  return [
    wrap(summary, style.columns),
    `${paint("dim", "Usage:")} ${formatUsage(command, style)}`,
    ...(description === null ? [] : [wrap(description, style.columns)]),
    ...(words.length === 0 ? [] : [`${paint("bold", "Arguments")}\n${formatPairs(words, style)}`]),
    `${paint("bold", "Flags")}\n${formatPairs(options, style)}`,
    ...(lines.length === 0 ? [] : [`${paint("bold", "Examples")}\n${lines.join("\n")}`]),
  ].join("\n\n");
}

/** An option and its value stay on one line. */
function formatUsage(command: CommandShape, style: Style): string {
  const whole = usageOf(command).replaceAll(/\[[^\]]*\]/g, (part) =>
    part.replaceAll(" ", NO_BREAK),
  );
  return wrap(whole, style.columns - 7, "       ").replaceAll(NO_BREAK, " ");
}

function formatOption(name: string, option: Option): string {
  const short = option.short === null ? "    " : `-${option.short}, `;
  return `${short}--${name}${option.kind === "value" ? ` ${option.placeholder}` : ""}`;
}

const LEAST_SUMMARY_WIDTH = 24;

/** Two columns; on a narrow terminal the second goes below the first. */
function formatPairs(
  pairs: readonly (readonly [term: string, meaning: string])[],
  style: Style,
): string {
  const width = Math.max(0, ...pairs.map(([term]) => term.length));
  const room = style.columns - width - 4;
  const isNarrow = room < LEAST_SUMMARY_WIDTH;
  return pairs
    .map(([term, meaning]) => {
      if (isNarrow)
        return `  ${style.paint("cyan", term)}\n      ${wrap(meaning, style.columns - 6, " ".repeat(6))}`;
      return `  ${style.paint("cyan", padTo(term, width))}  ${wrap(meaning, room, " ".repeat(width + 4))}`;
    })
    .join("\n");
}
