import { defineCommand } from "../command.ts";
import { formatEnvironment } from "../environment-text.ts";

export const envShow = defineCommand({
  name: "env show",
  summary: "Show one environment: addresses, files, processes, problems",
  scope: "environment",
  positionals: [
    { name: "NAME", kind: "optional", summary: "The environment; otherwise this workspace's" },
  ],
  async run(input, session) {
    return session.call("environment.show", await session.target(input.optional("NAME")));
  },
  toText: formatEnvironment,
});
