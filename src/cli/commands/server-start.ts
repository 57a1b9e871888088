import { defineCommand } from "../command.ts";
import { formatServer } from "../server-text.ts";

export const serverStart = defineCommand({
  name: "server start",
  summary: "Start the server, if it does not run",
  description: "A command that needs it starts it by itself.",
  run: (_input, session) => session.call("server.status", {}),
  toText: formatServer,
});
