import { Problem } from "../../base/problem.ts";
import { atPort, withTunnel } from "../session/afar-database.ts";
import { defineCommand } from "../session/command.ts";
import { psqlMissing } from "../session/problems.ts";
import { requireDatabaseUrl } from "../session/required-address.ts";
import { attach } from "../terminal/attached.ts";

export const dbPsql = defineCommand({
  name: "db psql",
  summary: "Open psql on the environment's database",
  scope: "environment",
  positionals: [{ name: "-- ARGUMENT", kind: "rest", summary: "psql's own arguments" }],
  examples: [
    { line: "ramet db psql", why: "A prompt in this workspace's database" },
    { line: "ramet db psql --env staging -- -f fix.sql", why: "A file, in another's" },
  ],
  async run(input, session) {
    const environment = await session.environment();
    const { app, name } = environment;
    const databaseUrl = requireDatabaseUrl(session, environment);
    const target = { app, environment: name };
    try {
      const exitCode = await withTunnel(session, target, async (port) => {
        const url = new URL(port === null ? databaseUrl : atPort(databaseUrl, port));
        const program = { file: "psql", args: input.rest, variables: toVariables(url) };
        return session.attending(target, async () => attach(session.context, program));
      });
      return { exitCode };
    } catch (error) {
      throw error instanceof Problem && error.code === "program_missing" ? psqlMissing() : error;
    }
  },
  isSilent: true,
  toText: () => "",
  exitCode: ({ exitCode }) => exitCode,
});

/** Everyone on the machine can read a program's arguments: the password goes by its environment. */
function toVariables(url: URL): Record<string, string> {
  return {
    PGHOST: url.hostname,
    PGPORT: url.port,
    PGUSER: decodeURIComponent(url.username),
    PGPASSWORD: decodeURIComponent(url.password),
    PGDATABASE: decodeURIComponent(url.pathname.slice(1)),
  };
}
