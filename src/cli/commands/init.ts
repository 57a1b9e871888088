import { DEVELOPMENT, parseAppName } from "../../environment/name.ts";
import type { AppName } from "../../environment/name.ts";
import { requireAppFolder } from "../../manifest/manifest.ts";
import { createAndBind } from "../binding-change.ts";
import { value } from "../command-shape.ts";
import { defineCommand } from "../command.ts";
import { exitCodeOf, formatReady } from "../environment-text.ts";
import { workspaceBound } from "../problems.ts";
import type { Session } from "../session.ts";
import { formatMs } from "../style.ts";
import { chooseAppName } from "../target.ts";

export const init = defineCommand({
  name: "init",
  summary: "Make this folder an app, and run its first environment",
  description:
    "Reads ramet.json, or finds out how the app runs, and makes the environment `development` on this folder: " +
    "a database of its own, `setup`, `migrate` and `seed`, the processes, a URL. In a folder of a repository the app " +
    "is the nearest folder with a ramet.json, else with a package.json.",
  options: {
    app: value(
      "NAME",
      "What to call the app; otherwise as ramet.json, the package or the folder says",
      "a",
    ),
  },
  examples: [
    { line: "ramet init", why: "Run the app in this folder" },
    { line: "ramet init --app shop", why: "The same, and call it shop" },
  ],
  async run(input, session) {
    const workspace = await session.workspace();
    const folder = await requireAppFolder(workspace.folder, workspace.root);
    const chosen = input.value("app");
    const app = chosen === null ? await chooseAppName(folder) : parseAppName(chosen);
    await assertUnbound(session, app);
    const searchPath = session.context.environment["PATH"] ?? "";
    return createAndBind(session, {
      app,
      name: DEVELOPMENT,
      create: () => session.call("app.create", { app, folder, searchPath }),
    });
  },
  toText: (created, style) =>
    formatReady(created, { what: `is ready after ${formatMs(created.timings.total)}`, style }),
  exitCode: exitCodeOf,
});

/** A workspace that is another app's would lose its binding. @throws `workspace_bound` */
async function assertUnbound(session: Session, app: AppName): Promise<void> {
  const { root, binding } = await session.workspace();
  if (binding === null || binding.home !== session.context.home.folder || binding.app === app)
    return;
  const apps = await session.call("app.list", {});
  const other = apps.find(({ name }) => name === binding.app);
  // A binding to what is gone binds nothing.
  if (other?.environments.includes(binding.environment) !== true) return;
  throw workspaceBound(`${binding.app}/${binding.environment}`, root);
}
