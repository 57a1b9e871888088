import path from "node:path";

import { DEVELOPMENT, parseAppName, suggestAppName } from "../../environment/name.ts";
import type { AppName } from "../../environment/name.ts";
import { requireAppFolder } from "../../manifest/manifest.ts";
import { findPostgresBin } from "../../protocol/postgres-bin.ts";
import { flag, value } from "../grammar/command-shape.ts";
import { findWithAnswers, type Found, offerToWrite } from "../session/adoption.ts";
import { createAndBind } from "../session/binding-change.ts";
import { defineCommand } from "../session/command.ts";
import { workspaceBound } from "../session/problems.ts";
import { appMadeElsewhere } from "../session/problems.ts";
import type { Session } from "../session/session.ts";
import { formatMs } from "../terminal/style.ts";
import { exitCodeOf, formatReady, hasProblems } from "../text/environment-text.ts";
import type { Hint } from "../text/hints.ts";

export const init = defineCommand({
  name: "init",
  summary: "Make this folder an app, and run its first environment",
  description:
    "Reads ramet.json, or finds out how the app runs, shows that and offers to write it down, and makes the environment `development` on this folder: " +
    "a database of its own, `setup`, `migrate` and `seed`, the processes, a URL. In a folder of a repository the app " +
    "is the nearest folder with a ramet.json, else with a package.json, manage.py, Procfile or the like.",
  options: {
    app: value(
      "NAME",
      "What to call the app; otherwise as ramet.json, the package or the folder says",
      "a",
    ),
    yes: flag("Write what was found to ramet.json without asking", "y"),
  },
  examples: [
    { line: "ramet init", why: "Run the app in this folder" },
    { line: "ramet init --yes", why: "The same, and write ramet.json without asking" },
    { line: "ramet init --app shop", why: "The same, and call it shop" },
  ],
  async run(input, session) {
    if (session.isAfar) throw appMadeElsewhere(session.placeId);
    const workspace = await session.workspace();
    const folder = await requireAppFolder(workspace.folder, workspace.root);
    const chosen = input.value("app");
    const found = await findWithAnswers(session, folder);
    const app = chosen === null ? parseAppName(nameOf(found, folder)) : parseAppName(chosen);
    await assertUnbound(session, app);
    const offer = { folder, app, isYes: input.has("yes") };
    const isNew = found !== undefined && (await offerToWrite(session, found, offer));
    const { environment, folder: here } = session.context;
    const searchPath = environment["PATH"] ?? "";
    const postgresBin = findPostgresBin(environment, here) ?? null;
    const created = await createAndBind(session, {
      app,
      name: DEVELOPMENT,
      create: () => session.call("app.create", { app, folder, searchPath, postgresBin }),
    });
    return { created, isNew, isInGit: workspace.git !== null };
  },
  toText: ({ created }, style) =>
    formatReady(created, { what: `is ready after ${formatMs(created.timings.total)}`, style }),
  hints: ({ created, isNew, isInGit }) => {
    if (hasProblems(created)) return [];
    if (!isInGit) return [{ line: "ramet env create x", why: "Fork it" }];
    return isNew ? [COMMIT, FORK] : [FORK];
  },
  toJson: ({ created }) => created,
  exitCode: ({ created }) => exitCodeOf(created),
});

const COMMIT: Hint = {
  line: "git add ramet.json && git commit -m 'Add ramet.json'",
  why: "Let every worktree have it",
};
const FORK: Hint = {
  line: "git worktree add ../x && cd ../x && ramet env create x --use",
  why: "Fork it",
};

/** As the manifest says, else the package, else the folder. */
function nameOf(found: Found | undefined, folder: string): string {
  return found?.explanation.name ?? suggestAppName(path.basename(folder));
}

/** A workspace that is another app's would lose its binding. @throws `workspace_bound` */
async function assertUnbound(session: Session, app: AppName): Promise<void> {
  const { root, binding } = await session.workspace();
  if (binding === null || binding.home !== session.placeId || binding.app === app) return;
  const apps = await session.call("app.list", {});
  const other = apps.find(({ name }) => name === binding.app);
  // A binding to what is gone binds nothing.
  if (other?.environments.includes(binding.environment) !== true) return;
  throw workspaceBound(`${binding.app}/${binding.environment}`, root);
}
