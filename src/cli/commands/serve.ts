import { defineCommand } from "../command.ts";
import { readVersion } from "../version.ts";

export const serve = defineCommand({
  name: "serve",
  summary: "Run the server in the foreground",
  examples: [
    { line: "ramet serve", why: "In a terminal, until Ctrl-C" },
    {
      line: "RAMET_HOME=/srv/ramet ramet serve",
      why: "With its things in another folder, under a service manager",
    },
  ],
  async run(_input, session) {
    const { serve: start } = session.context;
    if (start === undefined) throw new Error("This program was not given a server to run.");
    return { exitCode: await start(await readVersion()) };
  },
  isSilent: true,
  toText: () => "",
  exitCode: ({ exitCode }) => exitCode,
});
