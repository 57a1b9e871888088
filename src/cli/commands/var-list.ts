import { defineCommand } from "../session/command.ts";
import { formatVariables } from "../text/variable-text.ts";

export const varList = defineCommand({
  name: "var list",
  summary: "List an environment's variables",
  description: "A secret's value is never shown.",
  scope: "environment",
  examples: [
    { line: "ramet var list", why: "This workspace's" },
    { line: "ramet var list --env staging --json", why: "Another's, for a program" },
  ],
  run: async (_input, session) => session.call("variable.list", await session.target()),
  toText: (variables, style) =>
    variables.length === 0 ? "No variable is set." : formatVariables(variables, style),
});
