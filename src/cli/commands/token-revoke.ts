import { defineCommand } from "../session/command.ts";

export const tokenRevoke = defineCommand({
  name: "token revoke",
  summary: "Revoke a token, at once",
  description: "What goes on in its name, such as `ramet dev`, is cut short.",
  positionals: [{ name: "ID", kind: "required", summary: "As `ramet token list` shows it" }],
  examples: [
    { line: "ramet token revoke 3fa2b1c09d8e", why: "A laptop was lost" },
    { line: "ramet token revoke 3fa2b1c09d8e --json", why: "For a program" },
  ],
  run: (input, session) => session.call("token.revoke", { id: input.required("ID") }),
  toText: ({ id, user }, style) => `${style.paint("green", "✓")} ${user}'s token ${id} is revoked`,
});
