import { defineCommand } from "../command.ts";
import { formatReady } from "../environment-text.ts";

export const envStop = defineCommand({
  name: "env stop",
  summary: "Stop an environment; the next request wakes it",
  scope: "environment",
  positionals: [
    { name: "NAME", kind: "optional", summary: "The environment; otherwise this workspace's" },
  ],
  async run(input, session) {
    return session.call("environment.stop", await session.target(input.optional("NAME")));
  },
  toText: (environment, style) => formatReady(environment, { what: "is asleep", style }),
});
