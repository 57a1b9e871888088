import type { ServerStatus } from "../../protocol/schemas.ts";
import { findServer } from "../connection/server-process.ts";
import { defineCommand } from "../session/command.ts";
import { formatServer } from "../text/server-text.ts";

export const serverStatus = defineCommand({
  name: "server status",
  summary: "Show whether the server runs, and where it listens",
  isOfMachine: true,
  examples: [
    { line: "ramet server status", why: "Whether it runs" },
    { line: "ramet server status --json", why: "For a program: its process, ports and home" },
  ],
  async run(_input, session): Promise<ServerStatus> {
    const { home, signal } = session.context;
    return (await findServer(home, signal)) ?? absentServer(home.folder);
  },
  hints: ({ running }) =>
    running
      ? []
      : [{ line: "ramet server start", why: "Start it; any command that needs it does" }],
  toText: formatServer,
});

function absentServer(home: string): ServerStatus {
  return {
    running: false,
    pid: null,
    version: null,
    gatewayPort: null,
    databasePort: null,
    databaseSocket: null,
    listenArguments: null,
    home,
    startedAt: null,
  };
}
