import type { ServerStatus } from "../../protocol/schemas.ts";
import { defineCommand } from "../command.ts";
import { findServer } from "../server-process.ts";
import { formatServer } from "../server-text.ts";

export const serverStatus = defineCommand({
  name: "server status",
  summary: "Show whether the server runs, and where it listens",
  async run(_input, session): Promise<ServerStatus> {
    const { home, signal } = session.context;
    return (await findServer(home, signal)) ?? absentServer(home.folder);
  },
  toText: formatServer,
});

function absentServer(home: string): ServerStatus {
  return {
    running: false,
    pid: null,
    version: null,
    gatewayPort: null,
    databasePort: null,
    home,
    startedAt: null,
  };
}
