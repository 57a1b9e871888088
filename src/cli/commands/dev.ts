import path from "node:path";

import type { EnvironmentView } from "../../protocol/schemas.ts";
import { value } from "../grammar/command-shape.ts";
import { flagInvalid } from "../grammar/problems.ts";
import { defineCommand } from "../session/command.ts";
import { compareFiles } from "../session/compare-files.ts";
import type { Session } from "../session/session.ts";
import { findWorkspaceFolder } from "../session/workspace-folder.ts";
import { titleOf } from "../text/title.ts";

/** As of a push or a pull that would overwrite something. */
const CONFLICT_EXIT = 3;
const COMPARE_LIMIT_MS = 30_000;

export const dev = defineCommand({
  name: "dev",
  summary:
    "Keep the environment awake and both sides' files the same, and show its logs, until Ctrl-C",
  description:
    "Edits show by the app's own hot reload; a process that has none is restarted when its files change. " +
    "Where the server keeps the environment's files, what changes on either side goes to the other. A file that was " +
    "changed on both sides is left as it is on each, and said; others go on. What is overwritten is kept aside.",
  scope: "environment",
  positionals: [
    { name: "DIR", kind: "optional", summary: "The workspace; otherwise the one of this folder" },
  ],
  options: {
    prefer: value(
      "local|environment",
      "Settle conflicts with this side's version; the other is kept in the trash",
    ),
  },
  examples: [
    { line: "ramet dev", why: "In the workspace: wake it, then edit" },
    { line: "ramet dev --prefer local", why: "What was changed on both sides: as it is here" },
    { line: "ramet dev --json", why: "One JSON object for each line" },
  ],
  async run(input, session) {
    const prefer = parseSide(input.value("prefer"));
    const folder = input.optional("DIR");
    const here =
      folder === null ? session : session.in(path.resolve(session.context.folder, folder));
    const environment = await here.environment();
    const target = { app: environment.app, environment: environment.name };
    here.note(`${titleOf(environment)}  ${environment.url ?? ""}`.trimEnd());
    const workspace = await findTransferred(here, environment);
    const isMoved = here.isAfar && workspace !== null;
    const claim = workspace === null ? null : await claimWorkspace(workspace);
    try {
      await here.follow(
        // A folder of this machine says nothing to a server elsewhere: we keep both sides the same then.
        { ...target, workspace: isMoved ? null : workspace, prefer },
        {
          name: "environment.develop",
          names: environment.processes.map(({ name }) => name),
          hasTimes: false,
          ...(isMoved
            ? {
                beside: async (show, signal) =>
                  (await import("../session/far-files.ts")).keepAfar(here, {
                    ...target,
                    workspace,
                    prefer,
                    show,
                    signal,
                  }),
              }
            : {}),
        },
      );
    } finally {
      claim?.release();
    }
    const hasConflicts = workspace !== null && (await isLeft(here, { ...target, workspace }));
    return { hasConflicts };
  },
  isSilent: true,
  toText: () => "",
  exitCode: ({ hasConflicts }) => (hasConflicts ? CONFLICT_EXIT : 0),
});

/** @throws `dev_running` */
async function claimWorkspace(workspace: string): Promise<{ release(): void }> {
  return (await import("../../sync/sync.ts")).claimWorkspace(workspace);
}

function parseSide(side: string | null): "local" | "environment" | null {
  if (side === null || side === "local" || side === "environment") return side;
  throw flagInvalid("--prefer", side, "local or environment");
}

/** Whether something is left that both sides changed, once the person has stopped it. */
async function isLeft(
  session: Session,
  question: { readonly app: string; readonly environment: string; readonly workspace: string },
): Promise<boolean> {
  const { conflicts } = await compareFiles(session.afterStop(COMPARE_LIMIT_MS), question);
  if (conflicts.length > 0)
    session.note(`Changed on both sides, and left as they are: ${conflicts.join(", ")}.`);
  return conflicts.length > 0;
}

/** The workspace whose files are kept the same as the environment's own; null: none is. */
async function findTransferred(
  session: Session,
  environment: EnvironmentView,
): Promise<string | null> {
  if (environment.files.kind === "linked") return null;
  if ((await session.boundId()) === environment.id)
    return findWorkspaceFolder(session, await session.app());
  session.note(
    `This workspace is not bound to it: no files are transferred (\`ramet env use ${environment.name}\` binds it).`,
  );
  return null;
}
