/** One command of a shell's line, and what stands between it and the next. */
export type ShellCommand = {
  readonly words: readonly string[];
  readonly text: string;
  readonly next: "" | "&&" | "||" | ";" | "|" | "&";
};

const MAX_LENGTH = 8192;
const OPERATOR = /[ \t\r]*(&&|\|\||[;|&\n])/y;
const WORD = /\s*((?:\d?>{1,2}&?\d?|\\[^]|"(?:\\[^]|[^"\\])*"|'[^']*'|[^\s"'\\;|&])+)/y;

/** The commands of a script as a shell would take them apart; what follows an open quote is left out. */
export function parseShell(script: string): readonly ShellCommand[] {
  const line = script.slice(0, MAX_LENGTH).trim();
  const commands: ShellCommand[] = [];
  let words: string[] = [];
  let begin = 0;
  let at = 0;
  while (at < line.length) {
    const operator = matchAt(OPERATOR, line, at);
    const found = operator ?? matchAt(WORD, line, at);
    if (found === undefined) break;
    if (operator === undefined) words.push(unquote(found.text));
    else {
      commands.push({ words, text: line.slice(begin, at).trim(), next: toNext(found.text) });
      words = [];
      begin = found.end;
    }
    at = found.end;
  }
  commands.push({ words, text: line.slice(begin, at).trim(), next: "" });
  return commands.filter((command) => command.words.length > 0);
}

function matchAt(
  pattern: RegExp,
  line: string,
  at: number,
): { readonly text: string; readonly end: number } | undefined {
  pattern.lastIndex = at;
  const [, text] = pattern.exec(line) ?? [];
  return text === undefined ? undefined : { text, end: pattern.lastIndex };
}

function toNext(operator: string): ShellCommand["next"] {
  const known = ["&&", "||", "|", "&"] as const;
  return known.find((one) => one === operator) ?? ";";
}

function unquote(word: string): string {
  return word.replaceAll(/"(?:\\[^]|[^"\\])*"|'[^']*'|\\[^]/g, (part) => {
    if (part.startsWith("'")) return part.slice(1, -1);
    if (part.startsWith('"')) return part.slice(1, -1).replaceAll(/\\([\\"$`])/g, "$1");
    return part.slice(1);
  });
}
