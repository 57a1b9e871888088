import { chooseVariables } from "../grammar/chosen-variables.ts";
import { flag } from "../grammar/command-shape.ts";
import { defineCommand } from "../session/command.ts";
import { countVariables } from "../text/variable-text.ts";

export const varDelete = defineCommand({
  name: "var delete",
  summary: "Delete variables",
  scope: "environment",
  positionals: [{ name: "VARIABLE", kind: "rest", summary: "The variables" }],
  options: {
    all: flag("All of them"),
    force: flag("Do not ask, and pass over those that are not set", "f"),
  },
  examples: [
    { line: "ramet var delete LOG_LEVEL", why: "Ask first" },
    { line: "ramet var delete --all --force", why: "All of them, without being asked" },
  ],
  async run(input, session) {
    const names = chooseVariables(input.rest, input.has("all"), "delete");
    const target = await session.target();
    const isForced = input.has("force");
    if (!isForced) {
      const what = names === null ? "All variables" : names.join(", ");
      await session.confirm(`${what} of ${target.app}/${target.environment} will be deleted.`);
    }
    return session.call("variable.delete", { ...target, names, ignoreMissing: isForced });
  },
  toText: ({ deleted }, style) =>
    `${style.paint("green", "✓")} ${countVariables(deleted.length)} deleted`,
});
