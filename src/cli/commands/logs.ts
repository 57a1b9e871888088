import type { LogLine } from "../../environment/environment.ts";
import { flag, value } from "../command-shape.ts";
import { defineCommand } from "../command.ts";
import { LogText } from "../log-text.ts";
import { parseCount } from "../numbers.ts";

const DEFAULT_LAST = 200;
const MAX_LAST = 100_000;

export const logs = defineCommand({
  name: "logs",
  summary: "Show what an environment's processes printed",
  scope: "environment",
  options: {
    follow: flag("Go on until Ctrl-C", "f"),
    process: value("PROCESS", "Of this process only, or of `setup`, `migrate`, `seed`", "p"),
    last: value("N", `How many of the lines that are there already (${DEFAULT_LAST})`, "n"),
  },
  examples: [
    { line: "ramet logs --process migrate --last 50", why: "How the last migration went" },
    { line: "ramet logs -f --process web", why: "What web prints, as it prints it" },
  ],
  async run(input, session): Promise<LogLine[] | undefined> {
    const last = parseCount("--last", input.value("last") ?? String(DEFAULT_LAST), MAX_LAST);
    const follow = input.has("follow");
    const request = { ...(await session.target()), process: input.value("process"), follow, last };
    if (follow) {
      await session.follow(request, { name: "environment.logs", names: [] });
      return undefined;
    }
    const lines: LogLine[] = [];
    await session.call("environment.logs", request, { onLine: (line) => lines.push(line) });
    return lines;
  },
  toText(lines, style) {
    const names = [...new Set(lines?.map(({ process }) => process))];
    const text = new LogText(style, { names, hasTimes: true });
    return lines?.map((line) => text.format(line)).join("\n") ?? "";
  },
});
