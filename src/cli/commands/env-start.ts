import { defineCommand } from "../session/command.ts";
import { exitCodeOf, formatReady } from "../text/environment-text.ts";

export const envStart = defineCommand({
  name: "env start",
  summary: "Start an environment's database and processes",
  scope: "environment",
  positionals: [
    { name: "ENV", kind: "optional", summary: "The environment; otherwise this workspace's" },
  ],
  examples: [
    { line: "ramet env start", why: "Wake this workspace's environment" },
    { line: "ramet env start staging --app shop", why: "Another, from any folder" },
  ],
  async run(input, session) {
    return session.call("environment.start", await session.target(input.optional("ENV")));
  },
  toText: (environment, style) => formatReady(environment, { what: "is awake", style }),
  hints: ({ state }) =>
    state === "broken"
      ? [{ line: "ramet logs", why: "What its processes printed" }]
      : [{ line: "ramet open", why: "Open it in the browser" }],
  exitCode: exitCodeOf,
});
