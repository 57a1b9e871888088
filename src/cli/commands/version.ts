import { defineCommand } from "../session/command.ts";
import { readVersion } from "../session/version.ts";

export const version = defineCommand({
  name: "version",
  summary: "Print the version",
  isOfMachine: true,
  examples: [
    { line: "ramet version", why: "The version alone" },
    { line: "ramet version --json", why: "For a program" },
  ],
  run: async () => ({ version: await readVersion() }),
  toText: (result) => result.version,
});
