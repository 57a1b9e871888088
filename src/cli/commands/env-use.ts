import { Problem } from "../../base/problem.ts";
import { parseAppName } from "../../environment/name.ts";
import type { EnvironmentView } from "../../protocol/schemas.ts";
import { bindTo } from "../session/binding-change.ts";
import { defineCommand } from "../session/command.ts";
import { compareFiles } from "../session/compare-files.ts";
import type { Session } from "../session/session.ts";
import { findWorkspaceFolder } from "../session/workspace-folder.ts";
import { formatReady } from "../text/environment-text.ts";

export const envUse = defineCommand({
  name: "env use",
  summary: "Bind this workspace to an environment",
  description:
    "Commands in this workspace are about it from then on. An environment that runs on another folder stays with that.",
  scope: "app",
  positionals: [{ name: "ENV", kind: "required", summary: "The environment" }],
  examples: [
    { line: "ramet env use staging --app shop", why: "In a clone that no environment runs on" },
    { line: "ramet env use development", why: "In the folder that development runs on" },
  ],
  async run(input, session) {
    const environment = await session.call(
      "environment.show",
      await session.target(input.required("ENV")),
    );
    await bindTo(environment, session);
    if (environment.files.kind === "kept") await noteDifferences(session, environment);
    return environment;
  },
  hints: () => [
    { line: "ramet dev", why: "Its logs, while you edit" },
    { line: "ramet run -- COMMAND", why: "A command with its variables and database" },
  ],
  toText: (environment, style) =>
    formatReady(environment, { what: "is this workspace's environment", style }),
});

/** The server notes what both sides have in common, so that the first edit after this is known to be this workspace's. */
async function noteDifferences(session: Session, { app, name }: EnvironmentView): Promise<void> {
  try {
    const workspace = await findWorkspaceFolder(session, parseAppName(app));
    const asked = { app, environment: name, workspace };
    const { local, remote, conflicts } = await compareFiles(session, asked);
    const count = local.length + remote.length + conflicts.length;
    if (count > 0) session.note(`Files that differ: ${count}. See \`ramet status\`.`);
  } catch (error) {
    // The workspace is bound; whoever pushes from it is told what is in the way.
    if (!(error instanceof Problem)) throw error;
  }
}
