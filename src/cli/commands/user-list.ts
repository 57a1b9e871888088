import { defineCommand } from "../session/command.ts";
import { formatUsers } from "../text/access-text.ts";

export const userList = defineCommand({
  name: "user list",
  summary: "List who may ask this server from afar",
  examples: [
    { line: "ramet user list", why: "Everyone" },
    { line: "ramet user list --json", why: "For a program" },
  ],
  run: (_input, session) => session.call("user.list", {}),
  toText: formatUsers,
});
