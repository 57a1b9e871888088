import { value } from "../grammar/command-shape.ts";
import { parseCount } from "../grammar/numbers.ts";
import { defineCommand } from "../session/command.ts";
import { formatAudit } from "../text/access-text.ts";

const DEFAULT_LAST = 50;
const MOST_LAST = 10_000;

export const audit = defineCommand({
  name: "audit",
  summary: "Show who changed what on this server, the latest last",
  description: "Names alone: never a value, a token or SQL.",
  options: { last: value("N", `How many (${DEFAULT_LAST})`, "n") },
  examples: [
    { line: "ramet audit", why: "The last writes" },
    { line: "ramet audit --last 1000 --json", why: "For a program" },
  ],
  run: (input, session) => {
    const text = input.value("last") ?? String(DEFAULT_LAST);
    return session.call("access.audit", {
      last: Math.max(1, parseCount("--last", text, MOST_LAST)),
    });
  },
  toText: formatAudit,
});
