import { defineCommand } from "../command.ts";
import { findServer, waitUntilGone } from "../server-process.ts";

export const serverStop = defineCommand({
  name: "server stop",
  summary: "Stop every environment, then the server",
  description:
    "`server restart` leaves environments running. What was awake is awake again after the next start.",
  async run(_input, session) {
    const { home, signal } = session.context;
    if ((await findServer(home, signal)) === undefined) return { wasRunning: false, stopped: 0 };
    const { stopped } = await session.call("server.stop", {});
    await waitUntilGone(home, signal);
    return { wasRunning: true, stopped };
  },
  toText({ wasRunning, stopped }, style) {
    if (!wasRunning) return "The server was not running.";
    const count = `${stopped} environment${stopped === 1 ? "" : "s"}`;
    return `${style.paint("green", "✓")} The server is stopped, and with it ${count}`;
  },
});
