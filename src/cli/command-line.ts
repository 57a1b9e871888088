import { findNearest } from "../base/nearest.ts";
import { ALIASES, COMMANDS, VERB_ALIASES } from "./command-table.ts";
import { LEADING_OPTIONS } from "./grammar/arguments.ts";
import { commandUnknown } from "./grammar/problems.ts";

/** What an argument list asks for, before its flags are read. */
export type CommandLine =
  | { readonly kind: "command"; readonly name: string; readonly argv: readonly string[] }
  /** `group` null: all commands. */
  | { readonly kind: "help"; readonly group: string | null; readonly name: string | null }
  | { readonly kind: "version" };

/** @throws `command_unknown` */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const start = countLeading(argv);
  const [first, second] = argv.slice(start);
  if (first === undefined || first === "--help" || first === "-h")
    return { kind: "help", group: null, name: null };
  if (first === "--version") return { kind: "version" };
  if (first === "help")
    return parseHelp(argv.slice(start + 1).filter((word) => !word.startsWith("-")));
  const found = findCommand(first, second);
  if (found === undefined) return parseGroup(first, second);
  const rest = argv.slice(start + found.words);
  return { kind: "command", name: found.name, argv: [...argv.slice(0, start), ...rest] };
}

function parseHelp(words: readonly string[]): CommandLine {
  const [first, second] = words;
  if (first === undefined) return { kind: "help", group: null, name: null };
  const found = findCommand(first, second);
  return found === undefined
    ? parseGroup(first, second)
    : { kind: "help", group: null, name: found.name };
}

/** `ramet env` alone lists the commands of `env`. */
function parseGroup(first: string, second: string | undefined): CommandLine {
  const group = ALIASES[first] ?? first;
  const names = Object.keys(COMMANDS);
  const ofGroup = names.filter((name) => name.startsWith(`${group} `));
  const isBare = second === undefined || second.startsWith("-");
  if (ofGroup.length > 0 && isBare) return { kind: "help", group, name: null };
  const words = ofGroup.length > 0 ? `${group} ${second}` : first;
  throw commandUnknown(words, nearestCommand(words, second));
}

function nearestCommand(words: string, second: string | undefined): string | undefined {
  const names = Object.keys(COMMANDS);
  const groups = new Set(names.map((name) => name.split(" ")[0] ?? name));
  const near = findNearest(words, [...groups, ...names]);
  const whole = second === undefined ? undefined : findNearest(`${words} ${second}`, names);
  return whole ?? near ?? names.find((name) => name.split(" ")[1] === words);
}

function findCommand(
  first: string,
  second: string | undefined,
): { name: string; words: number } | undefined {
  const head = Object.hasOwn(ALIASES, first) ? (ALIASES[first] ?? first) : first;
  const verb =
    second !== undefined && Object.hasOwn(VERB_ALIASES, second) ? VERB_ALIASES[second] : second;
  const double = `${head} ${verb}`;
  if (Object.hasOwn(COMMANDS, double)) return { name: double, words: 2 };
  return Object.hasOwn(COMMANDS, head) ? { name: head, words: 1 } : undefined;
}

/** How many arguments before the command's name are flags that every command takes. */
function countLeading(argv: readonly string[]): number {
  let index = 0;
  for (;;) {
    const name = leadingOption(argv[index] ?? "");
    if (name === undefined) return index;
    const takesNext = LEADING_OPTIONS[name]?.kind === "value" && !argv[index]?.includes("=");
    index += takesNext ? 2 : 1;
  }
}

function leadingOption(argument: string): string | undefined {
  const [flag = ""] = argument.split("=", 1);
  return Object.keys(LEADING_OPTIONS).find(
    (name) => flag === `--${name}` || flag === `-${LEADING_OPTIONS[name]?.short}`,
  );
}
