import { exists } from "../../base/remove-inside.ts";
import { loginFile, removeLogin } from "../connection/login-file.ts";
import { defineCommand } from "../session/command.ts";

export const logout = defineCommand({
  name: "logout",
  summary: "Forget the server elsewhere and its token; this machine's own is used again",
  description:
    "The token stays good where it is kept elsewhere: whoever keeps the server revokes it with `ramet token revoke ID`.",
  isOfMachine: true,
  examples: [
    { line: "ramet logout", why: "Back to this machine's own server" },
    { line: "ramet logout --json", why: "For a program: whether there was one" },
  ],
  async run(_input, session) {
    const { folder } = session.context.home;
    const wasLoggedIn = await exists(loginFile(folder));
    await removeLogin(folder);
    return { wasLoggedIn };
  },
  toText: ({ wasLoggedIn }, style) =>
    wasLoggedIn
      ? `${style.paint("green", "✓")} Logged out: commands are for this machine's own server`
      : "You were not logged in: commands are for this machine's own server.",
});
