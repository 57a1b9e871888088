import { argumentMissing } from "../grammar/problems.ts";
import { moveVariables, withTunnel } from "../session/afar-database.ts";
import { defineCommand } from "../session/command.ts";
import { attach } from "../terminal/attached.ts";

export const run = defineCommand({
  name: "run",
  summary: "Run a command with the environment's variables, DATABASE_URL included",
  description:
    "It runs in this folder, and its exit code is passed on. Put -- before it, so that its flags are its own.",
  scope: "environment",
  positionals: [{ name: "-- COMMAND", kind: "rest", summary: "The program and its arguments" }],
  examples: [
    { line: "ramet run -- npm test", why: "The tests, on this workspace's own database" },
    { line: "ramet run -- npx prisma migrate dev", why: "A migration" },
  ],
  async run(input, session) {
    const [file, ...args] = input.rest;
    if (file === undefined) throw argumentMissing("a command", "run", "ramet run -- COMMAND…");
    const target = await session.target();
    const variables = await session.call("environment.variables", target);
    const exitCode = await withTunnel(session, target, async (port) => {
      const moved = port === null ? variables : moveVariables(variables, port);
      const program = { file, args, variables: moved };
      return session.attending(target, async () => attach(session.context, program));
    });
    return { exitCode };
  },
  isSilent: true,
  toText: () => "",
  exitCode: ({ exitCode }) => exitCode,
});
