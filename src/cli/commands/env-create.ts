import { parseEnvironmentName } from "../../environment/name.ts";
import type { CreatedEnvironment } from "../../protocol/schemas.ts";
import { flag, value } from "../grammar/command-shape.ts";
import { DATA_OPTION, parseData } from "../grammar/fork-options.ts";
import { flagInvalid } from "../grammar/problems.ts";
import { createAndBind } from "../session/binding-change.ts";
import { defineCommand } from "../session/command.ts";
import { findWorkspaceFolder } from "../session/workspace-folder.ts";
import { formatMs } from "../terminal/style.ts";
import { exitCodeOf, formatForked, hasProblems } from "../text/environment-text.ts";
import { formatTimings } from "../text/timings-text.ts";

export const envCreate = defineCommand({
  name: "env create",
  summary: "Fork an environment: files, database with its rows, processes, URL",
  description:
    "With --use the new environment runs on this workspace's own files and the workspace is bound to it. " +
    "Otherwise, and on a server elsewhere, the server keeps a copy of the source's files. Variables are not copied: `ramet var import`.",
  scope: "app",
  positionals: [
    { name: "NAME", kind: "required", summary: "What to call it: a-z, 0-9 and single hyphens" },
  ],
  options: {
    from: value(
      "ENV",
      "What to fork; otherwise this workspace's environment, its main worktree's, or development",
    ),
    use: flag("Bind this workspace to it, and run it on this workspace's files", "u"),
    files: value(
      "linked|kept",
      "On this workspace's own files, or on a copy that the server keeps",
    ),
    data: DATA_OPTION,
    timings: flag("Show where the time went: every step, and what ran beside what"),
  },
  examples: [
    {
      line: "ramet env create agent-feature --use",
      why: "In a new git worktree: an environment for it",
    },
    { line: "ramet env create demo --app shop --from staging", why: "From any folder" },
    {
      line: "ramet env create trial --data schema",
      why: "With all tables and none of the rows; `database.seed` fills them",
    },
    { line: "ramet env create x --timings", why: "And see how long each step of it took" },
  ],
  async run(input, session) {
    const name = parseEnvironmentName(input.required("NAME"));
    const from = input.value("from");
    const source = from === null ? null : parseEnvironmentName(from);
    // A server elsewhere cannot run an environment on a folder of this machine.
    const isLinkable = input.has("use") && !session.isAfar;
    const kind = chooseKind(input.value("files"), isLinkable);
    const app = await session.app();
    const request = {
      app,
      name,
      from: source === null ? await session.defaultSources(app) : [source],
      files:
        kind === "linked"
          ? ({ kind, path: await findWorkspaceFolder(session, app) } as const)
          : ({ kind } as const),
      data: parseData(input.value("data")),
      searchPath: session.context.environment["PATH"] ?? "",
    };
    const create = (): Promise<CreatedEnvironment> => session.call("environment.create", request);
    const created = await (input.has("use")
      ? createAndBind(session, { app, name, create })
      : create());
    return { created, isTimed: input.has("timings") };
  },
  toText: ({ created, isTimed }, style) => {
    const what = `is ready after ${formatMs(created.timings.total)}`;
    const ready = formatForked(created, { what, style });
    return isTimed ? `${ready}\n\n${formatTimings(created.timings, style)}` : ready;
  },
  hints: ({ created }) =>
    hasProblems(created)
      ? []
      : [{ line: "ramet dev", why: "Its logs, while you or an agent edit" }],
  toJson: ({ created }) => created,
  exitCode: ({ created }) => exitCodeOf(created),
});

function chooseKind(chosen: string | null, isLinkable: boolean): "linked" | "kept" {
  if (chosen === null) return isLinkable ? "linked" : "kept";
  if (chosen === "linked" || chosen === "kept") return chosen;
  throw flagInvalid("--files", chosen, "linked or kept");
}
