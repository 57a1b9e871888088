import { findNearest } from "../../base/nearest.ts";
import { flag, value } from "./command-shape.ts";
import type {
  CommandShape,
  Option,
  Options,
  ParsedArguments,
  Positional,
} from "./command-shape.ts";
import {
  argumentMissing,
  argumentUnexpected,
  flagRepeated,
  flagUnknown,
  flagValueMissing,
  flagValueUnexpected,
} from "./problems.ts";

/** As an import it would load all that `node:util` can do. */
const { parseArgs } = process.getBuiltinModule("node:util");

const JSON_OPTION = flag("Print one JSON value and nothing else");
const QUIET_OPTION = flag("Print no progress", "q");
const COLOR_OPTION = flag("Print without colours, as NO_COLOR=1 does");
const HELP_OPTION = flag("Print this help", "h");
const APP_OPTION = value("APP", "The app, where the folder does not say it", "a");
const ENV_OPTION = value("ENV", "The environment, where it is not this workspace's", "e");

/** Those that stand before a command's name too. */
export const LEADING_OPTIONS: Options = {
  json: JSON_OPTION,
  quiet: QUIET_OPTION,
  "no-color": COLOR_OPTION,
  app: APP_OPTION,
  env: ENV_OPTION,
};

/** All options of a command: its own, then those that many have. */
export function optionsOf({ options, scope }: CommandShape): Options {
  return {
    ...options,
    ...(scope === "none" ? {} : { app: APP_OPTION }),
    ...(scope === "environment" ? { env: ENV_OPTION } : {}),
    json: JSON_OPTION,
    quiet: QUIET_OPTION,
    "no-color": COLOR_OPTION,
    help: HELP_OPTION,
  };
}

/** `ramet env create NAME [--from ENV] …`, without what every command takes. */
export function usageOf(command: CommandShape): string {
  const positionals = command.positionals.map(formatPositional);
  const options = Object.entries(command.options).map(([name, option]) =>
    option.kind === "flag" ? `[--${name}]` : `[--${name} ${option.placeholder}]`,
  );
  const isOwnLast = command.positionals.some(({ kind }) => kind === "rest");
  const parts = isOwnLast ? [...options, ...positionals] : [...positionals, ...options];
  return ["ramet", command.name, ...parts].join(" ");
}

/** `env create NAME`: its name and what it cannot do without. */
export function termOf({ name, positionals }: CommandShape): string {
  const words = positionals.filter(({ kind }) => kind === "required");
  return [name, ...words.map((positional) => positional.name)].join(" ");
}

/** Whether a flag stands among a command line's own arguments, not among those after `--`. */
export function hasFlag(argv: readonly string[], ...names: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return argv.slice(0, end === -1 ? argv.length : end).some((argument) => names.includes(argument));
}

/** @throws `flag_*`, `argument_*` */
export function parseArguments(command: CommandShape, argv: readonly string[]): ParsedArguments {
  const options = optionsOf(command);
  const { tokens } = parseArgs({
    args: [...argv],
    options: toParseConfig(options),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const flags = new Set<string>();
  const values = new Map<string, string>();
  const words: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") words.push(token.value);
    if (token.kind !== "option") continue;
    const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
    if (option === undefined) throw unknownFlag(command, options, token.rawName);
    if (option.kind === "flag") {
      if (token.value !== undefined) throw flagValueUnexpected(token.rawName);
      flags.add(token.name);
      continue;
    }
    if (values.has(token.name)) throw flagRepeated(token.rawName);
    values.set(token.name, requireValue(token, option.placeholder));
  }
  return { flags, values, ...assignPositionals(command, words) };
}

type ParseConfig = Record<string, { type: "boolean" | "string"; short?: string }>;

function toParseConfig(options: Options): ParseConfig {
  return Object.fromEntries(
    Object.entries(options).map(([name, option]) => [name, toParseOption(option)]),
  );
}

function toParseOption({ kind, short }: Option): ParseConfig[string] {
  return { type: kind === "flag" ? "boolean" : "string", ...(short === null ? {} : { short }) };
}

/** A value that looks like a flag was forgotten, unless it was written as `--flag=-value`. */
function requireValue(
  token: { rawName: string; value?: string | undefined; inlineValue?: boolean | undefined },
  placeholder: string,
): string {
  const isFlag =
    token.inlineValue !== true && token.value?.startsWith("-") === true && token.value !== "-";
  if (token.value === undefined || isFlag) throw flagValueMissing(token.rawName, placeholder);
  return token.value;
}

function unknownFlag(command: CommandShape, options: Options, rawName: string): Error {
  const names = Object.keys(options);
  const nearest = rawName.startsWith("--") ? findNearest(rawName.slice(2), names) : undefined;
  return flagUnknown(rawName, command.name, nearest === undefined ? undefined : `--${nearest}`);
}

function assignPositionals(
  command: CommandShape,
  words: readonly string[],
): Pick<ParsedArguments, "positionals" | "rest"> {
  const positionals = new Map<string, string>();
  const left = [...words];
  for (const positional of command.positionals) {
    if (positional.kind === "rest") return { positionals, rest: left };
    const word = left.shift();
    if (word !== undefined) positionals.set(positional.name, word);
    else if (positional.kind === "required")
      throw argumentMissing(positional.name, command.name, usageOf(command));
  }
  const [extra] = left;
  if (extra !== undefined) throw argumentUnexpected(extra, command.name, usageOf(command));
  return { positionals, rest: [] };
}

function formatPositional({ name, kind }: Positional): string {
  return POSITIONAL_FORMS[kind](name);
}

const POSITIONAL_FORMS: Readonly<Record<Positional["kind"], (name: string) => string>> = {
  required: (name) => name,
  optional: (name) => `[${name}]`,
  rest: (name) => `${name}…`,
};
