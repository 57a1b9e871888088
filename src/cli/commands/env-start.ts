import { defineCommand } from "../command.ts";
import { exitCodeOf, formatReady } from "../environment-text.ts";

export const envStart = defineCommand({
  name: "env start",
  summary: "Start an environment's database and processes",
  scope: "environment",
  positionals: [
    { name: "NAME", kind: "optional", summary: "The environment; otherwise this workspace's" },
  ],
  async run(input, session) {
    return session.call("environment.start", await session.target(input.optional("NAME")));
  },
  toText: (environment, style) => formatReady(environment, { what: "is awake", style }),
  exitCode: exitCodeOf,
});
