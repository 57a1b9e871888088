import { parseCommandLine } from "./command-line.ts";
import type { CommandLine } from "./command-line.ts";
import { COMMANDS } from "./command-table.ts";
import type { LiveKind } from "./completion-values.ts";
import { hasFlag, optionsOf } from "./grammar/arguments.ts";
import type { CommandShape, Option, Options } from "./grammar/command-shape.ts";
import type { Context } from "./terminal/context.ts";
import { tameText } from "./terminal/style.ts";
import { SHELLS } from "./text/completion-scripts.ts";

/** Tells the script of a shell that files may stand here; no value begins like that. */
const FILES = ":files";

type Candidate = { readonly value: string; readonly summary: string };
type Wanted = LiveKind | "file" | "shell" | "none";

/** The lines that a shell's script reads: `value`, a tab, what it means. Fails with nothing, and starts no server. */
export async function completeWords(
  words: readonly string[],
  context: Context,
): Promise<readonly string[]> {
  const joined = joinAssignment(words);
  const typed = joined.words.at(-1) ?? "";
  const line = findLine(joined.words.slice(0, -1));
  if (line === undefined) return [];
  const candidates = await listCandidates(line, typed, context);
  return candidates
    .filter(({ value }) => value.endsWith(FILES) || value.startsWith(typed))
    .map(({ value, summary }) => ({ value: value.slice(joined.prefix.length), summary }))
    .filter(({ value }) => value === FILES || !value.endsWith(FILES))
    .map(({ value, summary }) => tameText(summary === "" ? value : `${value}\t${summary}`, false));
}

/** bash takes `--files=kept` for three words, and wants to hear the last of them alone. */
function joinAssignment(words: readonly string[]): { words: readonly string[]; prefix: string } {
  const at = words.at(-1) === "=" ? words.length - 1 : words.length - 2;
  const flag = words[at - 1] ?? "";
  if (words[at] !== "=" || !flag.startsWith("--")) return { words, prefix: "" };
  return {
    words: [...words.slice(0, at - 1), `${flag}=${words[at + 1] ?? ""}`],
    prefix: `${flag}=`,
  };
}

function findLine(words: readonly string[]): CommandLine | undefined {
  try {
    return parseCommandLine(words);
  } catch {
    // Nothing can follow what is no command; whoever runs it is told.
    return undefined;
  }
}

async function listCandidates(
  line: CommandLine,
  typed: string,
  context: Context,
): Promise<readonly Candidate[]> {
  if (line.kind === "version") return [];
  if (line.kind === "command") return completeArguments(line, typed, context);
  return line.name === null ? listNames(line.group) : [];
}

/** The commands of a group by their second word; of all, each first word once. */
async function listNames(group: string | null): Promise<Candidate[]> {
  const names = Object.keys(COMMANDS);
  const words =
    group === null
      ? new Set([...names.map((name) => name.split(" ")[0] ?? name), "help"])
      : listVerbs(group);
  const before = group === null ? "" : `${group} `;
  return Promise.all([...words].map(async (value) => describeName(value, before)));
}

async function describeName(value: string, before: string): Promise<Candidate> {
  if (value === "help") return { value, summary: "Tell more about a command" };
  const command = await COMMANDS[before + value]?.();
  return { value, summary: command?.summary ?? listVerbs(value).join(", ") };
}

function listVerbs(group: string): string[] {
  const names = Object.keys(COMMANDS).filter((name) => name.startsWith(`${group} `));
  return names.map((name) => name.slice(group.length + 1));
}

async function completeArguments(
  { name, argv }: Extract<CommandLine, { kind: "command" }>,
  typed: string,
  context: Context,
): Promise<readonly Candidate[]> {
  const command = await COMMANDS[name]?.();
  if (command === undefined || hasFlag(argv, "--help", "-h")) return [];
  if (argv.includes("--")) return [{ value: FILES, summary: "" }];
  const options = optionsOf(command);
  const { assigned, option } = findAwaited(options, argv, typed);
  if (option?.kind === "value") {
    const values = await listValues(option.placeholder, argv, context);
    return values.map(({ value, summary }) => ({ value: assigned + value, summary }));
  }
  const placeholder = findPositional(command, countPositionals(options, argv));
  if (typed.startsWith("-") || placeholder === undefined) return listFlags(options, argv);
  return listValues(placeholder, argv, context);
}

/** The option whose value is typed: behind its `=`, or after it. */
function findAwaited(
  options: Options,
  argv: readonly string[],
  typed: string,
): { assigned: string; option: Option | undefined } {
  const assigned = /^--[^=]+=/.exec(typed)?.[0] ?? "";
  const flag = assigned === "" ? argv.at(-1) : assigned.slice(0, -1);
  return { assigned, option: findOption(options, flag ?? "") };
}

function findOption(options: Options, word: string): Option | undefined {
  return Object.entries(options).find(
    ([name, { short }]) => word === `--${name}` || (short !== null && word === `-${short}`),
  )?.[1];
}

function listFlags(options: Options, argv: readonly string[]): Candidate[] {
  return Object.entries(options)
    .filter(([name, { short }]) => !hasFlag(argv, `--${name}`, `-${short}`))
    .map(([name, { summary }]) => ({ value: `--${name}`, summary }));
}

function countPositionals(options: Options, argv: readonly string[]): number {
  return argv.filter(
    (word, index) =>
      !word.startsWith("-") && findOption(options, argv[index - 1] ?? "")?.kind !== "value",
  ).length;
}

function findPositional({ positionals }: CommandShape, index: number): string | undefined {
  const last = positionals.at(-1);
  return (positionals[index] ?? (last?.kind === "rest" ? last : undefined))?.name;
}

/** What may stand where the help shows such a word; `a|b` says it itself. */
const WANTED: Readonly<Record<string, Wanted>> = {
  SHELL: "shell",
  ENV: "environment",
  APP: "app",
  PROCESS: "process",
  VARIABLE: "variable",
  "NAME=VALUE": "assignment",
  FILE: "file",
  DIR: "file",
};

async function listValues(
  placeholder: string,
  argv: readonly string[],
  context: Context,
): Promise<Candidate[]> {
  const wanted = WANTED[placeholder] ?? "none";
  if (wanted === "shell") return SHELLS.map((value) => ({ value, summary: "" }));
  if (placeholder.includes("|"))
    return placeholder.split("|").map((value) => ({ value, summary: "" }));
  if (wanted === "none") return [];
  if (wanted === "file") return [{ value: FILES, summary: "" }];
  const { listLiveValues } = await import("./completion-values.ts");
  const chosen = {
    app: valueOf(argv, "--app", "-a"),
    environment: valueOf(argv, "--env", "-e"),
  };
  const values = await listLiveValues(wanted, chosen, context);
  return values.map((value) => ({ value, summary: "" }));
}

function valueOf(argv: readonly string[], long: string, short: string): string | null {
  const at = argv.findIndex((word) => word === long || word === short);
  const assigned = argv.find((word) => word.startsWith(`${long}=`));
  return assigned?.slice(long.length + 1) ?? (at === -1 ? null : (argv[at + 1] ?? null));
}
