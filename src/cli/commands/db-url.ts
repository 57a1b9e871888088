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
  async run(input, session) {
    const environment = await session.call(
      "environment.show",
      await session.target(input.optional("ENV")),
    );
    if (environment.databaseUrl === null) throw addressMissing(titleOf(environment), "database");
    return { databaseUrl: environment.databaseUrl };
  },
  toText: ({ databaseUrl }) => databaseUrl,
});
