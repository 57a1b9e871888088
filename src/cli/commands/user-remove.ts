import { flag } from "../grammar/command-shape.ts";
import { defineCommand } from "../session/command.ts";

export const userRemove = defineCommand({
  name: "user remove",
  summary: "Remove a user; all their tokens are revoked at once",
  description: "What they have under way is cut short. Environments that they made stay.",
  positionals: [{ name: "NAME", kind: "required", summary: "The user" }],
  options: { force: flag("Do not ask", "f") },
  examples: [
    { line: "ramet user remove anna", why: "Ask first" },
    { line: "ramet user remove anna --force", why: "At once" },
  ],
  async run(input, session) {
    const name = input.required("NAME");
    if (!input.has("force")) await session.confirm(`${name} will be let in no more.`);
    return session.call("user.remove", { name });
  },
  toText: ({ name, revoked }, style) =>
    `${style.paint("green", "✓")} ${name} is no user any more; ${revoked.length} token${revoked.length === 1 ? " is" : "s are"} revoked`,
});
