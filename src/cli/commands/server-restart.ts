import type { ServerStatus } from "../../protocol/schemas.ts";
import { serverFailed } from "../connection/problems.ts";
import { findServer, startServer } from "../connection/server-process.ts";
import { defineCommand } from "../session/command.ts";
import { sendAway } from "../session/send-away.ts";
import { formatServer } from "../text/server-text.ts";

/** A command that comes in between starts one that listens to nobody elsewhere: so often it is told to leave as well. */
const MOST_TRIES = 3;

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
    let before = await findServer(home, signal);
    const listen = before?.listenArguments ?? [];
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      if (before !== undefined) await sendAway(session, before);
      const after = await startServer(session.context, listen);
      if (isAsOpen(after, listen)) return after;
      before = after;
    }
    throw serverFailed(`another command starts it each time, without ${listen.join(" ")}`, []);
  },
  toText: formatServer,
});

function isAsOpen({ listenArguments }: ServerStatus, wanted: readonly string[]): boolean {
  return wanted.length === 0 || listenArguments !== null;
}
