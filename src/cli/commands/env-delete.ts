import type { EnvironmentView } from "../../protocol/schemas.ts";
import { flag } from "../grammar/command-shape.ts";
import { unbindFrom } from "../session/binding-change.ts";
import { defineCommand } from "../session/command.ts";
import { titleOf } from "../text/title.ts";

export const envDelete = defineCommand({
  name: "env delete",
  summary: "Delete an environment",
  description:
    "Its database, kept files, variables and logs are lost. A folder that it is linked to stays.",
  scope: "app",
  positionals: [{ name: "ENV", kind: "required", summary: "The environment" }],
  options: { force: flag("Do not ask", "f") },
  examples: [
    { line: "ramet env delete agent-feature", why: "Ask first" },
    {
      line: "ramet env delete agent-feature --force && git worktree remove ../agent-feature",
      why: "When the work is done",
    },
  ],
  async run(input, session) {
    const target = await session.target(input.required("ENV"));
    if (!input.has("force")) {
      const environment = await session.call("environment.show", target);
      await session.confirm(describeLoss(environment));
    }
    const deleted = await session.call("environment.delete", target);
    const { folder } = session.context;
    const gone = { app: deleted.app, names: [deleted.name], home: session.placeId };
    await unbindFrom(folder, gone);
    if (deleted.folder !== null && !session.isAfar) await unbindFrom(deleted.folder, gone);
    return deleted;
  },
  hints: ({ folder }) =>
    folder === null
      ? []
      : [
          {
            line: `git worktree remove ${folder}`,
            why: "Its folder stays; this removes a worktree",
          },
        ],
  toText: (deleted, style) => `${style.paint("green", "✓")} ${titleOf(deleted)} is deleted`,
});

function describeLoss(environment: EnvironmentView): string {
  const lost = [
    ...(environment.databaseUrl === null ? [] : ["its database with all rows"]),
    ...(environment.files.kind === "kept" ? ["the files that the server keeps for it"] : []),
    "its variables and logs",
  ];
  const words =
    lost.length === 1 ? lost.join("") : `${lost.slice(0, -1).join(", ")} and ${lost.at(-1)}`;
  return `${titleOf(environment)} will be deleted, with ${words}.`;
}
