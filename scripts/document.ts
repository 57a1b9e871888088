/** Writes docs/commands.md, the manual, and what `ramet --help` lists, from the table of commands: `npm run docs`. */
import { writeFile } from "node:fs/promises";
import path from "node:path";

import { COMMANDS, SECTIONS } from "../src/cli/command-table.ts";
import { optionsOf, termOf, usageOf } from "../src/cli/grammar/arguments.ts";
import type { CommandShape, Option } from "../src/cli/grammar/command-shape.ts";

const FILE = path.join(import.meta.dirname, "..", "docs", "commands.md");

const OPENING = `# Commands

Made by \`npm run docs\` from the same values as \`ramet help\`: change those, not this file.

Every command takes \`--json\` (one JSON value on standard output and nothing else), \`--quiet\`, \`--no-color\` and \`--help\`.
A command that is about an environment finds it by the folder: the workspace is bound to one. \`--app\` and \`--env\`
name another, before or behind the command's name.

## Exit codes

| code | meaning |
|---|---|
| 0 | done |
| 1 | a mistake in Ramet |
| 2 | a problem that you can fix: its code, message and remedy are printed |
| 3 | both sides of a push or a pull have changed: choose with \`--force\` |
| 130 | stopped by Ctrl-C |

\`ramet run\` and \`ramet db psql\` pass on the exit code of their program; 128 and more tell the signal that ended it.
`;

const SUMMARIES_FILE = path.join(import.meta.dirname, "..", "src", "cli", "command-summaries.ts");
const LINE_WIDTH = 100;

if (import.meta.main) {
  await writeFile(FILE, await formatDocument());
  await writeFile(SUMMARIES_FILE, await formatSummaries());
}

export async function formatDocument(): Promise<string> {
  const names = Object.keys(COMMANDS);
  const sections = SECTIONS.map(async ([title, first, last]) => {
    const shown = names.slice(names.indexOf(first), names.indexOf(last) + 1);
    const commands = await Promise.all(shown.map(async (name) => COMMANDS[name]?.()));
    const parts = commands.filter((command) => command !== undefined).map(formatCommand);
    return `## ${title}\n\n${parts.join("\n")}`;
  });
  return [OPENING, ...(await Promise.all(sections))].join("\n");
}

/** A module, as the formatter would leave it. */
export async function formatSummaries(): Promise<string> {
  const commands = await Promise.all(Object.values(COMMANDS).map(async (load) => load()));
  return [
    "// Made by `npm run docs` from the commands themselves: change those, not this file.\n\n",
    "/** What the list of commands says of each: to load them all for that would take twice as long. */\n",
    "export const SUMMARIES: Readonly<Record<string, string>> = {\n",
    ...commands.map((command) => formatProperty(termOf(command), command.summary)),
    "};\n",
  ].join("");
}

function formatProperty(name: string, text: string): string {
  const key = /^[a-z]+$/.test(name) ? name : JSON.stringify(name);
  const line = `  ${key}: ${JSON.stringify(text)},\n`;
  return line.length - 1 <= LINE_WIDTH ? line : `  ${key}:\n    ${JSON.stringify(text)},\n`;
}

function formatCommand(command: CommandShape): string {
  const { name, summary, description, positionals, examples } = command;
  const options = Object.entries(optionsOf(command)).filter(([option]) => !isEverywhere(option));
  const terms = [
    ...positionals.map((positional) => [positional.name, positional.summary] as const),
    ...options.map(([option, shape]) => [formatOption(option, shape), shape.summary] as const),
  ];
  return [
    `### ramet ${name}\n`,
    `${summary}.${description === null ? "" : ` ${description}`}\n`,
    `\`\`\`\n${usageOf(command)}\n\`\`\`\n`,
    ...(terms.length === 0
      ? []
      : [`${terms.map(([term, meaning]) => `- \`${term}\`: ${meaning}`).join("\n")}\n`]),
    `Examples:\n\n\`\`\`sh\n${examples.map(({ line, why }) => `# ${why}\n${line}`).join("\n")}\n\`\`\`\n`,
  ].join("\n");
}

function isEverywhere(option: string): boolean {
  return ["json", "quiet", "no-color", "help"].includes(option);
}

function formatOption(name: string, option: Option): string {
  const short = option.short === null ? "" : `-${option.short}, `;
  return `${short}--${name}${option.kind === "value" ? ` ${option.placeholder}` : ""}`;
}
