import { defineCommand } from "../command.ts";
import { readVersion } from "../version.ts";

export const version = defineCommand({
  name: "version",
  summary: "Print the version",
  run: async () => ({ version: await readVersion() }),
  toText: (result) => result.version,
});
