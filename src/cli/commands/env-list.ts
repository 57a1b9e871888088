import { flag } from "../grammar/command-shape.ts";
import { flagsExclusive } from "../grammar/problems.ts";
import { defineCommand } from "../session/command.ts";
import { formatEnvironments } from "../text/environment-text.ts";

export const envList = defineCommand({
  name: "env list",
  summary: "List the environments of the app, or of all",
  scope: "app",
  options: { all: flag("Of all apps") },
  examples: [
    { line: "ramet env list --all", why: "Of all apps" },
    { line: "ramet env list --json", why: "For a program" },
  ],
  async run(input, session) {
    const isAll = input.has("all");
    if (isAll && session.chosenApp !== null) throw flagsExclusive("--all", "--app");
    // Where nothing says which app is meant, all is the better answer than none.
    const app = isAll ? null : ((await session.findApp()) ?? null);
    const environments = await session.call("environment.list", { app });
    return { environments, here: await session.boundId() };
  },
  hints: ({ environments }) =>
    environments.length === 0 ? [] : [{ line: "ramet env show ENV", why: "All about one" }],
  toJson: ({ environments }) => environments,
  toText({ environments, here }, style) {
    if (environments.length > 0) return formatEnvironments(environments, { here, style });
    return "There is no environment yet. Make one with `ramet init` in the app's folder.";
  },
});
