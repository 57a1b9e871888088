import { value } from "../command-shape.ts";
import { defineCommand } from "../command.ts";
import { parseCount } from "../numbers.ts";
import { readServerLog } from "../server-process.ts";
import { tameText } from "../style.ts";

const DEFAULT_LAST = 100;
const MAX_LAST = 10_000;

export const serverLogs = defineCommand({
  name: "server logs",
  summary: "Show what the server printed last",
  options: { last: value("N", `How many lines (${DEFAULT_LAST})`, "n") },
  async run(input, session) {
    const last = parseCount("--last", input.value("last") ?? String(DEFAULT_LAST), MAX_LAST);
    return readServerLog(session.context.home, last);
  },
  toText: (lines, style) => lines.map((line) => tameText(line, style.hasColors)).join("\n"),
});
