import { bindTo } from "../binding-change.ts";
import { defineCommand } from "../command.ts";
import { formatReady } from "../environment-text.ts";

export const envUse = defineCommand({
  name: "env use",
  summary: "Bind this workspace to an environment",
  description:
    "Commands in this workspace are about it from then on. An environment that runs on another folder stays with that.",
  scope: "app",
  positionals: [{ name: "NAME", kind: "required", summary: "The environment" }],
  examples: [{ line: "ramet env use development", why: "In the folder that development runs on" }],
  async run(input, session) {
    const environment = await session.call(
      "environment.show",
      await session.target(input.required("NAME")),
    );
    await bindTo(environment, session);
    return environment;
  },
  toText: (environment, style) =>
    formatReady(environment, { what: "is this workspace's environment", style }),
});
