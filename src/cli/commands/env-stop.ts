import { defineCommand } from "../session/command.ts";
import { formatReady } from "../text/environment-text.ts";

export const envStop = defineCommand({
  name: "env stop",
  summary: "Stop an environment; the next request wakes it",
  scope: "environment",
  positionals: [
    { name: "ENV", kind: "optional", summary: "The environment; otherwise this workspace's" },
  ],
  examples: [
    { line: "ramet env stop", why: "Let this workspace's environment sleep" },
    { line: "ramet env stop staging --app shop", why: "Another, from any folder" },
  ],
  async run(input, session) {
    return session.call("environment.stop", await session.target(input.optional("ENV")));
  },
  hints: ({ name }) => [{ line: `ramet env start ${name}`, why: "Wake it before a request does" }],
  toText: (environment, style) => formatReady(environment, { what: "is asleep", style }),
});
