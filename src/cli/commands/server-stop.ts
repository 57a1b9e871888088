import { findServer, waitUntilEnded, waitUntilGone } from "../connection/server-process.ts";
import { hasSurvivors } from "../connection/survivors.ts";
import { defineCommand } from "../session/command.ts";

export const serverStop = defineCommand({
  name: "server stop",
  summary: "Stop every environment, then the server",
  description:
    "Environments sleep until the next request or `env start`. `server restart` leaves them running.",
  isOfMachine: true,
  examples: [
    { line: "ramet server stop", why: "Everything sleeps, nothing is lost" },
    { line: "ramet server stop --json", why: "For a program: how many environments slept" },
  ],
  async run(_input, session) {
    const { home, signal } = session.context;
    const wasRunning = (await findServer(home, signal)) !== undefined;
    // What a killed server left running is taken up by the next one, which then ends it.
    if (!wasRunning && !(await hasSurvivors(home))) return { wasRunning, stopped: 0 };
    const told = await session.call("server.status", {});
    const { stopped } = await session.call("server.stop", {});
    await waitUntilGone(home, told, signal);
    if (told.pid !== null) await waitUntilEnded(told.pid, signal);
    return { wasRunning, stopped };
  },
  hints: ({ stopped }) =>
    stopped === 0
      ? []
      : [{ line: "ramet env start", why: "Wake this workspace's environment again" }],
  toText({ wasRunning, stopped }, style) {
    if (!wasRunning && stopped === 0) return "The server was not running.";
    const count = `${stopped} environment${stopped === 1 ? "" : "s"}`;
    return `${style.paint("green", "✓")} The server is stopped, and with it ${count}`;
  },
});
