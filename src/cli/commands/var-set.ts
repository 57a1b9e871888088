import { flag } from "../grammar/command-shape.ts";
import { argumentMissing, variableValueMissing } from "../grammar/problems.ts";
import { defineCommand } from "../session/command.ts";
import type { Session } from "../session/session.ts";
import { readSecret } from "../terminal/prompts.ts";
import { countVariables } from "../text/variable-text.ts";

type Setting = { readonly name: string; readonly value: string };

export const varSet = defineCommand({
  name: "var set",
  summary: "Set variables, all of them or none",
  description:
    "Processes that use them are restarted. What stands on a command line others can see: let a secret come from standard input.",
  scope: "environment",
  positionals: [
    { name: "NAME=VALUE", kind: "rest", summary: "Or NAME alone with --secret, to read its value" },
  ],
  options: { secret: flag("Sealed: it can be used and set anew, never read back") },
  examples: [
    { line: "ramet var set LOG_LEVEL=debug PAGE_SIZE=50", why: "Two at once" },
    { line: "ramet var set STRIPE_KEY --secret < key.txt", why: "A secret from a file" },
  ],
  async run(input, session) {
    const secret = input.has("secret");
    const variables = await readSettings(input.rest, { secret, session });
    return session.call("variable.set", { ...(await session.target()), variables, secret });
  },
  toText: (variables, style) =>
    `${style.paint("green", "✓")} ${countVariables(variables.length)} set: ${variables.map(({ name }) => name).join(", ")}`,
});

async function readSettings(
  words: readonly string[],
  { secret, session }: { secret: boolean; session: Session },
): Promise<Setting[]> {
  const [first] = words;
  if (first === undefined)
    throw argumentMissing("NAME=VALUE", "var set", "ramet var set NAME=VALUE… [--secret]");
  if (secret && words.length === 1 && !first.includes("=")) {
    return [{ name: first, value: await readSecret(session.context, first) }];
  }
  return words.map(parseSetting);
}

function parseSetting(word: string): Setting {
  const split = word.indexOf("=");
  if (split <= 0) throw variableValueMissing(split === -1 ? word : word.slice(0, 20));
  return { name: word.slice(0, split), value: word.slice(split + 1) };
}
