import { defineCommand } from "../session/command.ts";
import { formatDatabaseSize } from "../text/size-text.ts";

export const dbSize = defineCommand({
  name: "db size",
  summary: "Show what the environment's database takes up, table by table",
  description:
    "The rows of large tables are what PostgreSQL believes, marked with ~. A fork's own bytes are those that it does not " +
    "share with the environment that it was forked from.",
  scope: "environment",
  positionals: [
    { name: "ENV", kind: "optional", summary: "The environment; otherwise this workspace's" },
  ],
  examples: [
    { line: "ramet db size", why: "Of this workspace's" },
    { line: "ramet db size staging --json", why: "Another's, for a program" },
  ],
  async run(input, session) {
    return session.call("database.size", await session.target(input.optional("ENV")));
  },
  toText: formatDatabaseSize,
});
