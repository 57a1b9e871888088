import { parseEnvironmentName } from "../../environment/name.ts";
import { flag, value } from "../grammar/command-shape.ts";
import { flagsExclusive } from "../grammar/problems.ts";
import { defineCommand } from "../session/command.ts";
import { formatMs } from "../terminal/style.ts";
import { exitCodeOf, formatForked } from "../text/environment-text.ts";
import { titleOf } from "../text/title.ts";

export const envReset = defineCommand({
  name: "env reset",
  summary: "Give an environment its parent's present rows again",
  description:
    "Its database is replaced by a new fork of its parent's, then its own migrations are run. Addresses and password " +
    "stay; files and variables too. Its processes and sessions end. What was there is kept for a day: --undo.",
  scope: "app",
  positionals: [{ name: "ENV", kind: "required", summary: "The environment" }],
  options: {
    from: value("ENV", "Whose rows; otherwise those of the environment that it was forked from"),
    undo: flag("Have back what the last reset replaced, and keep what is there instead"),
    force: flag("Do not ask", "f"),
  },
  examples: [
    { line: "ramet env reset agent-feature", why: "Ask first" },
    { line: "ramet env reset agent-feature --from staging --force", why: "Rows of another" },
    { line: "ramet env reset agent-feature --undo", why: "As it was before" },
  ],
  async run(input, session) {
    const isUndone = input.has("undo");
    const chosen = input.value("from");
    if (isUndone && chosen !== null) throw flagsExclusive("--undo", "--from");
    const from = chosen === null ? null : parseEnvironmentName(chosen);
    const target = await session.target(input.required("ENV"));
    if (!input.has("force") && !isUndone) {
      const { parent } = await session.call("environment.show", target);
      const source = from ?? parent ?? "another environment";
      await session.confirm(
        `The database of ${titleOf({ ...target, name: target.environment })} will be replaced by a fork of ${source}; what is there is kept for a day.`,
      );
    }
    const made = await session.call("environment.reset", { ...target, from, undo: isUndone });
    return { made, isUndone, from: from ?? made.parent };
  },
  toText: ({ made, isUndone, from }, style) => {
    const after = formatMs(made.timings.total);
    const what = isUndone
      ? `has its database of before the reset again, after ${after}`
      : `was reset from ${from ?? "another"}, after ${after}`;
    return formatForked(made, { what, style });
  },
  hints: ({ made, isUndone }) =>
    isUndone
      ? []
      : [{ line: `ramet env reset ${made.name} --undo`, why: "Within a day: as it was before" }],
  toJson: ({ made }) => made,
  exitCode: ({ made }) => exitCodeOf(made),
});
