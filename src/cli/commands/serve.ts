import { defineCommand } from "../command.ts";
import { readVersion } from "../version.ts";

export const serve = defineCommand({
  name: "serve",
  summary: "Run the server in the foreground",
  async run(_input, session) {
    const { serve: start } = session.context;
    if (start === undefined) throw new Error("This program was not given a server to run.");
    return { exitCode: await start(await readVersion()) };
  },
  isSilent: true,
  toText: () => "",
  exitCode: ({ exitCode }) => exitCode,
});
