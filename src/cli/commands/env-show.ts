import { defineCommand } from "../session/command.ts";
import { formatEnvironment } from "../text/environment-text.ts";

export const envShow = defineCommand({
  name: "env show",
  summary: "Show one environment: addresses, files, processes, problems",
  scope: "environment",
  positionals: [
    { name: "ENV", kind: "optional", summary: "The environment; otherwise this workspace's" },
  ],
  examples: [
    { line: "ramet env show", why: "This workspace's" },
    { line: "ramet env show staging --json", why: "Another, for a program" },
  ],
  run: (input, session) => session.environment(input.optional("ENV"), "measured"),
  hints: ({ state, name }) => [
    ...(state === "asleep" ? [{ line: `ramet env start ${name}`, why: "Wake it" }] : []),
    ...(state === "broken" ? [{ line: `ramet logs --env ${name}`, why: "What it printed" }] : []),
  ],
  toText: formatEnvironment,
});
