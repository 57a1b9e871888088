import { followServerLog, readServerLog, sizeOfLog } from "../connection/server-log.ts";
import { flag, value } from "../grammar/command-shape.ts";
import { parseCount } from "../grammar/numbers.ts";
import { defineCommand } from "../session/command.ts";
import { tameText } from "../terminal/style.ts";

const DEFAULT_LAST = 100;
const MAX_LAST = 10_000;

export const serverLogs = defineCommand({
  name: "server logs",
  summary: "Show what the server printed last",
  options: {
    follow: flag("Go on until Ctrl-C", "f"),
    last: value("N", `How many lines (${DEFAULT_LAST})`, "n"),
  },
  isOfMachine: true,
  examples: [
    { line: "ramet server logs --last 1000", why: "More of the last lines" },
    { line: "ramet server logs -f", why: "What it prints, as it prints it" },
  ],
  async run(input, session): Promise<readonly string[] | undefined> {
    const last = parseCount("--last", input.value("last") ?? String(DEFAULT_LAST), MAX_LAST);
    const { home, signal, stdout } = session.context;
    const end = await sizeOfLog(home);
    const lines = await readServerLog(home, { last, to: end });
    if (!input.has("follow")) return lines;
    const print = (line: string): void =>
      stdout.write(`${session.isJson ? JSON.stringify(line) : tameText(line, false)}\n`);
    for (const line of lines) print(line);
    await followServerLog(home, end, { print, signal });
    return undefined;
  },
  toText: (lines, style) => (lines ?? []).map((line) => tameText(line, style.hasColors)).join("\n"),
});
