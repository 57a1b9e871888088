import { findServer, startServer, waitUntilGone } from "../connection/server-process.ts";
import { defineCommand } from "../session/command.ts";
import { formatServer } from "../text/server-text.ts";

export const serverRestart = defineCommand({
  name: "server restart",
  summary: "Start the server anew; environments go on all the while",
  isOfMachine: true,
  examples: [
    { line: "ramet server restart", why: "After an upgrade" },
    {
      line: "ramet server restart --json",
      why: "For a program: the new server's process and ports",
    },
  ],
  async run(_input, session) {
    const { home, signal } = session.context;
    const before = await findServer(home, signal);
    if (before !== undefined) {
      await session.call("server.leave", {});
      await waitUntilGone(home, signal);
    }
    return startServer(session.context, before?.listenArguments ?? []);
  },
  toText: formatServer,
});
