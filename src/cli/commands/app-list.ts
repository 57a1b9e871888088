import { defineCommand } from "../session/command.ts";
import { formatAge } from "../terminal/style.ts";
import { formatTable } from "../text/table.ts";

export const appList = defineCommand({
  name: "app list",
  summary: "List the apps of this server",
  examples: [
    { line: "ramet app list", why: "Each with its environments" },
    { line: "ramet app list --json", why: "For a program" },
  ],
  run: (_input, session) => session.call("app.list", {}),
  toText(apps, style) {
    if (apps.length === 0)
      return "There is no app yet. Make one with `ramet init` in the app's folder.";
    const rows = apps.map(({ name, environments, createdAt }) => [
      name,
      environments.join(", "),
      formatAge(createdAt, style.now),
    ]);
    return formatTable(
      [{ title: "APP" }, { title: "ENVIRONMENTS" }, { title: "AGE", isOptional: true }],
      rows,
      style,
    );
  },
});
