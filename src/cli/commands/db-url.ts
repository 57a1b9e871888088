import { defineCommand } from "../command.ts";
import { titleOf } from "../environment-text.ts";
import { addressMissing } from "../problems.ts";

export const dbUrl = defineCommand({
  name: "db url",
  summary: "Print the database's URL, password included",
  scope: "environment",
  positionals: [
    { name: "ENV", kind: "optional", summary: "The environment; otherwise this workspace's" },
  ],
  examples: [
    { line: "ramet db url", why: "For a client of your own" },
    { line: "ramet db url staging", why: "Of another environment" },
  ],
  async run(input, session) {
    const environment = await session.environment(input.optional("ENV"));
    if (environment.databaseUrl === null) throw addressMissing(titleOf(environment), "database");
    return { databaseUrl: environment.databaseUrl };
  },
  toText: ({ databaseUrl }) => databaseUrl,
});
