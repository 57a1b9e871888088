import { parseAppName } from "../../environment/name.ts";
import { flag } from "../grammar/command-shape.ts";
import { unbindFrom } from "../session/binding-change.ts";
import { defineCommand } from "../session/command.ts";

export const appDelete = defineCommand({
  name: "app delete",
  summary: "Delete an app with all its environments",
  description:
    "Their databases, kept files, variables and logs are lost. Folders that environments are linked to stay.",
  positionals: [{ name: "APP", kind: "required", summary: "The app" }],
  options: { force: flag("Do not ask", "f") },
  examples: [
    { line: "ramet app delete shop", why: "Ask first, then delete shop with all its environments" },
    { line: "ramet app delete shop --force", why: "Delete shop without being asked" },
  ],
  async run(input, session) {
    const app = parseAppName(input.required("APP"));
    if (!input.has("force")) {
      await session.confirm(
        `The app ${app} will be deleted, with the databases, kept files and variables of all its environments.`,
      );
    }
    const deleted = await session.call("app.delete", { app });
    const { folder } = session.context;
    await unbindFrom(folder, { app, names: deleted.deleted, home: session.placeId });
    return deleted;
  },
  toText: ({ app, deleted }, style) =>
    `${style.paint("green", "✓")} ${app} is deleted, with ${deleted.length} environment${deleted.length === 1 ? "" : "s"}`,
});
