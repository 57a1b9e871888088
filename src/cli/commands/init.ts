import { DEVELOPMENT, parseAppName } from "../../environment/name.ts";
import { createAndBind } from "../binding-change.ts";
import { value } from "../command-shape.ts";
import { defineCommand } from "../command.ts";
import { exitCodeOf, formatReady } from "../environment-text.ts";
import { formatMs } from "../style.ts";
import { chooseAppName } from "../target.ts";

export const init = defineCommand({
  name: "init",
  summary: "Make this folder an app, and run its first environment",
  description:
    "Reads ramet.json, or finds out how the app runs, and makes the environment `development` on this folder: " +
    "a database of its own, `setup`, `migrate` and `seed`, the processes, a URL.",
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
    const { root } = await session.workspace();
    const chosen = input.value("app");
    const app = chosen === null ? await chooseAppName(root) : parseAppName(chosen);
    const searchPath = session.context.environment["PATH"] ?? "";
    return createAndBind(session, {
      app,
      name: DEVELOPMENT,
      create: () => session.call("app.create", { app, folder: root, searchPath }),
    });
  },
  toText: (created, style) =>
    formatReady(created, { what: `is ready after ${formatMs(created.timings.total)}`, style }),
  exitCode: exitCodeOf,
});
