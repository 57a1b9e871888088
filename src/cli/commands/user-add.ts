import { flag } from "../grammar/command-shape.ts";
import { defineCommand } from "../session/command.ts";

export const userAdd = defineCommand({
  name: "user add",
  summary: "Let somebody ask this server from afar",
  description:
    "They need a token besides. The first is made on the server's own machine, whose owner needs none.",
  positionals: [{ name: "NAME", kind: "required", summary: "What the log of writes calls them" }],
  options: { admin: flag("They may administer it: users, tokens, deleting apps") },
  examples: [
    { line: "ramet user add anna", why: "Somebody who works on apps" },
    { line: "ramet user add lead@example.com --admin", why: "Somebody who lets others in" },
  ],
  run: (input, session) =>
    session.call("user.add", { name: input.required("NAME"), isAdmin: input.has("admin") }),
  hints: ({ name }) => [{ line: `ramet token create ${name}`, why: "What they log in with" }],
  toText: ({ name, isAdmin }, style) =>
    `${style.paint("green", "✓")} ${style.paint("bold", name)} is a user${isAdmin ? " who may administer the server" : ""}`,
});
