import { defineCommand } from "../session/command.ts";
import { formatTokens } from "../text/access-text.ts";

export const tokenList = defineCommand({
  name: "token list",
  summary: "List the tokens that are good; never their text",
  examples: [
    { line: "ramet token list", why: "Whose, for what, until when" },
    { line: "ramet token list --json", why: "For a program" },
  ],
  run: (_input, session) => session.call("token.list", {}),
  toText: formatTokens,
});
