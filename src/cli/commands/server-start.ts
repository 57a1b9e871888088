import { defineCommand } from "../session/command.ts";
import { formatServer } from "../text/server-text.ts";

export const serverStart = defineCommand({
  name: "server start",
  summary: "Start the server, if it does not run",
  description: "A command that needs it starts it by itself.",
  isOfMachine: true,
  examples: [
    { line: "ramet server start", why: "Start it before the first command does" },
    { line: "ramet server start --json", why: "For a program: where it listens" },
  ],
  run: (_input, session) => session.call("server.status", {}),
  hints: () => [{ line: "ramet env list --all", why: "The environments of all apps" }],
  toText: formatServer,
});
