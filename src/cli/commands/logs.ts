import { systemClock } from "../../base/clock.ts";
import { LOG_LEVELS } from "../../environment/environment.ts";
import type { LogLevel, LogLine } from "../../environment/environment.ts";
import { flag, value } from "../grammar/command-shape.ts";
import { parseCount, parseSince } from "../grammar/numbers.ts";
import { flagInvalid, flagsExclusive } from "../grammar/problems.ts";
import { defineCommand } from "../session/command.ts";
import { LogText } from "../text/log-text.ts";

const DEFAULT_LAST = 200;
const MAX_LAST = 100_000;

export const logs = defineCommand({
  name: "logs",
  summary: "Show what an environment's processes printed",
  description:
    "A line of JSON is shown as its message, level and fields. A line that does not say how serious it is counts as " +
    "error where it went to stderr, else as info.",
  scope: "environment",
  options: {
    follow: flag("Go on until Ctrl-C", "f"),
    process: value("PROCESS", "Of this process only, or of `setup`, `migrate`, `seed`", "p"),
    access: flag("What was asked of it through the gateway, instead of what its processes printed"),
    last: value("N", `How many of the lines that are there already (${DEFAULT_LAST})`, "n"),
    since: value("TIME", "None older: `10m`, `2h`, `1d` ago, or `2026-11-29T10:00`"),
    level: value("LEVEL", `None less serious: ${LOG_LEVELS.join(", ")}`),
    grep: value("PATTERN", "Those that match; an expression without capitals matches both cases"),
  },
  examples: [
    { line: "ramet logs --process migrate --last 50", why: "How the last migration went" },
    { line: "ramet logs -f --process web", why: "What web prints, as it prints it" },
    { line: "ramet logs --level error --since 1h", why: "What went wrong in the last hour" },
    { line: "ramet logs --access --level warn", why: "Requests that were not answered well" },
    { line: "ramet logs -f --grep 'orders/\\d+' --json", why: "One JSON object a line" },
  ],
  async run(input, session): Promise<LogLine[] | undefined> {
    if (input.has("access") && input.value("process") !== null)
      throw flagsExclusive("--access", "--process");
    const since = input.value("since");
    const level = input.value("level");
    const request = {
      process: input.value("process"),
      access: input.has("access"),
      follow: input.has("follow"),
      last: parseCount("--last", input.value("last") ?? String(DEFAULT_LAST), MAX_LAST),
      since: since === null ? null : parseSince("--since", since, systemClock.now()),
      level: level === null ? null : parseLevel(level),
      grep: input.value("grep"),
      ...(await session.target()),
    };
    if (request.follow) {
      await session.follow(request, { name: "environment.logs", names: [], hasTimes: true });
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

function parseLevel(text: string): LogLevel {
  const level = LOG_LEVELS.find((one) => one === text.toLowerCase());
  if (level === undefined) throw flagInvalid("--level", text, `one of ${LOG_LEVELS.join(", ")}`);
  return level;
}
